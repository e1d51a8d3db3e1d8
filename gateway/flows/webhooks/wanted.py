"""What a webhook wants to be told: the filters of XP Z12-013 for flows, types for events. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.flows.searching import FlowCriteria
from gateway.lifecycle.statuses import StateLine

#: Families of the types that tell statuses; a filter by the namespace alone takes them too.
_LINES = frozenset(line.value for line in StateLine)
_STATUS_FAMILIES = _LINES | {""}


def flow_criteria(wanted: Mapping[str, Any], told_until: datetime | None) -> FlowCriteria:
    """The search that finds what a webhook of flows is still to be told."""
    direction, status = wanted.get("flow_direction"), wanted.get("ack_status")
    return FlowCriteria(
        updated_after=told_until,
        flow_types=tuple(wanted.get("flow_types", ())),
        directions=(direction,) if direction else (),
        ack_status=status,
    )


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted: types, or what types begin with up to a dot; without any, every status of invoices."""

    types: tuple[str, ...] = ()

    @property
    def takes_statuses(self) -> bool:
        """Whether a status may be wanted."""
        return not self.types or any(_family(each) in _STATUS_FAMILIES for each in self.types)

    @property
    def takes_announcements(self) -> bool:
        """Whether anything else may be."""
        return any(_family(each) not in _LINES for each in self.types)

    def wants(self, event_type: str) -> bool:
        """Whether an event of that type is wanted."""
        if not self.types:
            return _family(event_type) in _LINES
        return any(event_type == each or event_type.startswith(f"{each}.") for each in self.types)


def event_filter(wanted: Mapping[str, Any]) -> EventFilter:
    """The filter of a webhook of events."""
    return EventFilter(tuple(wanted.get("event_types", ())))


def _family(event_type: str) -> str:
    """The second part of a type, such as invoice or alert; empty for the namespace alone."""
    return event_type.partition(".")[2].partition(".")[0]
