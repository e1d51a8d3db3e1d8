"""What a webhook wants to be told: the filters of XP Z12-013 for flows, types for events. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gateway.flows.searching import FlowCriteria


def flow_criteria(wanted: Mapping[str, Any], told_until: datetime | None) -> FlowCriteria:
    """The search that finds what a webhook of flows is still to be told."""
    direction, status = wanted.get("flow_direction"), wanted.get("ack_status")
    return FlowCriteria(
        updated_after=told_until,
        flow_types=tuple(wanted.get("flow_types", ())),
        directions=(direction,) if direction else (),
        ack_status=status,
    )


def wants_event(wanted: Mapping[str, Any], event_type: str) -> bool:
    """Whether an event of that type is wanted: the filter names types, or what types begin with up to a dot."""
    types: Iterable[str] = wanted.get("event_types", ())
    return not types or any(event_type == each or event_type.startswith(f"{each}.") for each in types)
