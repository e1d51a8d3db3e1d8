"""Events as CloudEvents 1.0, structured JSON. Pure.

The type of a status says which state line moved and to which status: `einvoicing.invoice.status.205`; its data are
those of `GET /api/v1/events` (`schemas/lifecycle-event.schema.json`). The other types tell an announced fact, such as
`einvoicing.alert.opened`; the data of each family have a schema of their own.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from gateway.alerts.announcing import AlertFact
from gateway.collection.announcing import PromiseFact, ReminderFact
from gateway.flows.announcing import DeliveryFact, FlowFact
from gateway.kernel.published import SCHEMAS_PATH, schema_address
from gateway.lifecycle.model import LifecycleEvent
from gateway.lifecycle.statuses import StateLine
from gateway.lifecycle.views import EventView, event_view
from gateway.notifications.announcements import NAMESPACE, Fact
from gateway.notifications.model import Announcement

CONTENT_TYPE = "application/cloudevents+json"
DATA_SCHEMA, CALL_SCHEMA = "lifecycle-event.schema.json", "lifecycle-cloudevent.schema.json"
ANNOUNCEMENT_SCHEMA = "announcement-cloudevent.schema.json"
#: The announced facts: their data, and the types of each family without the namespace.
FAMILIES: Mapping[str, tuple[type[Fact], tuple[str, ...]]] = {
    "alert": (AlertFact, ("opened", "closed")),
    "flow": (FlowFact, ("accepted", "rejected", "quarantined")),
    "delivery": (DeliveryFact, ("acknowledged", "refused", "given_up")),
    "promise": (PromiseFact, ("kept", "partly_kept", "broken", "resumed", "cancelled")),
    "reminder": (ReminderFact, ("sent",)),
}
_LINES = "|".join(line.value for line in StateLine)
_ANNOUNCED = "|".join(rf"{family}(\.({'|'.join(types)}))?" for family, (_, types) in FAMILIES.items())
#: What a subscription may name: a type, or the beginning of types up to a dot.
EVENT_FILTER_PATTERN = rf"^{NAMESPACE}(\.(({_LINES})(\.status(\.\S{{1,50}})?)?|{_ANNOUNCED}))?$"
_SEQUENCE_DIGITS = 19


class CloudEvent(BaseModel):
    """An event as a call tells it; `schemas/*-cloudevent.schema.json` describe it."""

    model_config = ConfigDict(frozen=True)

    specversion: str = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: str
    sequence: str
    datacontenttype: str = "application/json"
    dataschema: str | None = None
    data: dict[str, Any]


def schema_of_family(family: str) -> str:
    """File name of the JSON Schema of the data of a family, such as `alert`."""
    return f"{family}-event.schema.json"


def cloud_event(event: LifecycleEvent | Announcement, siren: str, public_url: str | None) -> CloudEvent:
    """An event of the organisation of that SIREN.

    `id` is the event's own: a repeat bears the same. `subject` is the invoice of a status: seller SIREN, year and
    number; else what the fact is about, `alert/<id>`. `sequence` orders events as text, and as a number is the place in
    `GET /api/v1/events`. `dataschema` must be an absolute address: it is there when the service has a public one.
    """
    if isinstance(event, LifecycleEvent):
        event_type = f"{NAMESPACE}.{event.line}.status.{event.status}"
        subject, schema, at = f"{event.seller_siren}/{event.year}/{event.number}", DATA_SCHEMA, event.recorded_at
        data = event_view(event).model_dump(mode="json")
    else:
        event_type, subject, at, data = event.type, event.subject, event.at, event.data
        schema = schema_of_family(event.type.split(".")[1])
    return CloudEvent(
        id=event.id,
        source=f"urn:siren:{siren}",
        type=event_type,
        subject=subject,
        time=at.isoformat().replace("+00:00", "Z"),
        sequence=str(event.sequence).zfill(_SEQUENCE_DIGITS),
        dataschema=schema_address(schema, public_url) if public_url else None,
        data=data,
    )


def event_schemas() -> dict[str, str]:
    """The JSON Schemas of calls, and of the data of announced facts, by the name under which each is published."""
    status = _call_schema(
        CALL_SCHEMA,
        "LifecycleCloudEvent",
        EventView.__doc__ or "",
        event_type={"pattern": rf"^{NAMESPACE}\.[a-z]+\.status\.", "description": "State line and status (MDT-105)."},
        subject="The invoice: seller SIREN, year and number, parted by slashes.",
        data_schemas=[DATA_SCHEMA],
    )
    types = [f"{NAMESPACE}.{family}.{what}" for family, (_, whats) in FAMILIES.items() for what in whats]
    announcement = _call_schema(
        ANNOUNCEMENT_SCHEMA,
        "AnnouncementCloudEvent",
        "A fact beside the statuses of invoices, for programs that follow them.",
        event_type={"enum": types, "description": "What happened."},
        subject="What it is about: the family and the identifier, parted by a slash.",
        data_schemas=[schema_of_family(family) for family in FAMILIES],
    )
    announcement["oneOf"] = [
        {
            "properties": {
                "type": {"pattern": rf"^{NAMESPACE}\.{family}\."},
                "data": {"$ref": schema_of_family(family)},
            }
        }
        for family in FAMILIES
    ]
    schemas = {CALL_SCHEMA: status, ANNOUNCEMENT_SCHEMA: announcement}
    for family, (fact, _) in FAMILIES.items():
        name = schema_of_family(family)
        schemas[name] = {"$schema": _DIALECT, "$id": name, **fact.model_json_schema(mode="serialization")}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _call_schema(
    name: str, title: str, description: str, *, event_type: dict[str, Any], subject: str, data_schemas: list[str]
) -> dict[str, Any]:
    """The envelope of a call; the data of several families are told apart by whoever asked."""
    text = {"type": "string", "minLength": 1}
    of_data = "|".join(each.replace(".", r"\.") for each in data_schemas)
    properties: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": text | {"format": "uuid", "description": "The same for a repeat of the same event."},
        "source": text | {"pattern": r"^urn:siren:\d{9}$", "description": "The organisation."},
        "type": text | event_type,
        "subject": text | {"description": subject},
        "time": text | {"format": "date-time", "description": "When the gateway recorded it."},
        "sequence": text | {"pattern": rf"^\d{{{_SEQUENCE_DIGITS}}}$", "description": "Its place in the feed."},
        "datacontenttype": {"const": "application/json"},
        "dataschema": text
        | {
            "format": "uri",
            "pattern": rf"^https?://.+{SCHEMAS_PATH}/" + (of_data if len(data_schemas) == 1 else f"({of_data})") + "$",
            "description": "Where the schema of the data is; left out when the gateway has no public address.",
        },
        "data": {"$ref": data_schemas[0]} if len(data_schemas) == 1 else {"type": "object"},
    }
    return {
        "$schema": _DIALECT,
        "$id": name,
        "title": title,
        "description": description,
        "type": "object",
        "properties": properties,
        "required": [each for each in properties if each != "dataschema"],
        "additionalProperties": False,
    }
