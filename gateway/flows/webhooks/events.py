"""Events of the lifecycle as CloudEvents 1.0, structured JSON. Pure.

The type says which state line moved and to which status: `einvoicing.invoice.status.205`. The data are those of
`GET /api/v1/events` (`schemas/lifecycle-event.schema.json`).
"""

import json
from typing import Any

from gateway.kernel.published import SCHEMAS_PATH, schema_address
from gateway.lifecycle.model import LifecycleEvent
from gateway.lifecycle.views import EventView, event_view

CONTENT_TYPE = "application/cloudevents+json"
DATA_SCHEMA, CALL_SCHEMA = "lifecycle-event.schema.json", "lifecycle-cloudevent.schema.json"
#: What a subscription may name: a type, or the beginning of types up to a dot.
EVENT_FILTER_PATTERN = r"^einvoicing(\.[a-z]+(\.status(\.\S{1,50})?)?)?$"
_SEQUENCE_DIGITS = 19


def type_of_event(event: LifecycleEvent) -> str:
    """The CloudEvents type of an event."""
    return f"einvoicing.{event.line}.status.{event.status}"


def cloud_event(event: LifecycleEvent, siren: str, public_url: str | None) -> dict[str, Any]:
    """An event of the organisation of that SIREN.

    `id` is the event's own: a repeat bears the same. `subject` is the invoice: seller SIREN, year and number.
    `sequence` orders events as text, and as a number is the place in `GET /api/v1/events`.
    `dataschema` must be an absolute address: it is there when the service has a public one.
    """
    return {
        "specversion": "1.0",
        "id": str(event.id),
        "source": f"urn:siren:{siren}",
        "type": type_of_event(event),
        "subject": f"{event.seller_siren}/{event.year}/{event.number}",
        "time": event.recorded_at.isoformat().replace("+00:00", "Z"),
        "sequence": str(event.sequence).zfill(_SEQUENCE_DIGITS),
        "datacontenttype": "application/json",
        **({"dataschema": schema_address(DATA_SCHEMA, public_url)} if public_url else {}),
        "data": event_view(event).model_dump(mode="json"),
    }


def cloud_event_schema() -> str:
    """The JSON Schema of a call, as `schemas/lifecycle-cloudevent.schema.json` publishes it."""
    data_schema = DATA_SCHEMA.replace(".", r"\.")
    text = {"type": "string", "minLength": 1}
    properties: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": text | {"format": "uuid", "description": "The same for a repeat of the same event."},
        "source": text | {"pattern": r"^urn:siren:\d{9}$", "description": "The organisation."},
        "type": text | {"pattern": r"^einvoicing\.[a-z]+\.status\.", "description": "State line and status (MDT-105)."},
        "subject": text | {"description": "The invoice: seller SIREN, year and number, parted by slashes."},
        "time": text | {"format": "date-time", "description": "When the gateway recorded it."},
        "sequence": text | {"pattern": rf"^\d{{{_SEQUENCE_DIGITS}}}$", "description": "Its place in the feed."},
        "datacontenttype": {"const": "application/json"},
        "dataschema": text
        | {
            "format": "uri",
            "pattern": rf"^https?://.+{SCHEMAS_PATH}/{data_schema}$",
            "description": "Where the schema of the data is; left out when the gateway has no public address.",
        },
        "data": {"$ref": DATA_SCHEMA},
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": CALL_SCHEMA,
        "title": "LifecycleCloudEvent",
        "description": EventView.__doc__,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name != "dataschema"],
        "additionalProperties": False,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
