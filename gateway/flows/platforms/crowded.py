"""Read an instant at which a platform lists more flows than a page holds, where it pages by date alone.

The instant cannot be cut by date. So it is asked for in parts: by direction, then by type, acknowledgement and
processing rule, as far as a part still fills a page.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from gateway.flows.platforms.client import PlatformFlow
from gateway.flows.platforms.errors import PlatformListStuckError
from gateway.flows.terms import AckStatus, FlowDirection, FlowType, ProcessingRule

#: Asks for one page of the flows that hold the criteria of a search (`where`).
Ask = Callable[[Mapping[str, Any]], Sequence[PlatformFlow]]
_CUTS: tuple[tuple[str, list[Any]], ...] = (
    ("flowDirection", [[each.value] for each in FlowDirection]),
    ("flowType", [[each.value] for each in FlowType]),
    ("ackStatus", [each.value for each in AckStatus]),
    ("processingRule", [[each.value] for each in ProcessingRule]),
)
TINY = timedelta(microseconds=1)


def flows_of_crowded_instant(
    ask: Ask, where: Mapping[str, Any], page: Sequence[PlatformFlow], page_limit: int
) -> tuple[PlatformFlow, ...]:
    """Every flow of the instant of a full `page`, whose flows share one updatedAt; `where`: bounded to that instant.

    Raises PlatformListStuckError when parts cannot be told apart any further, or do not show what the page showed.
    """
    found = {flow.flow_id: flow for flow in _parts(ask, where, page, page_limit, _CUTS)}
    if any(flow.flow_id not in found for flow in page):
        raise _stuck(page)
    return tuple(found.values())


def _parts(
    ask: Ask,
    where: Mapping[str, Any],
    page: Sequence[PlatformFlow],
    page_limit: int,
    cuts: Sequence[tuple[str, list[Any]]],
) -> Iterator[PlatformFlow]:
    if not cuts:
        raise _stuck(page)
    (criterion, values), *finer = cuts
    for value in values:
        if criterion in where and value[0] not in where[criterion]:  # a direction that is not listed
            continue
        narrower = {**where, criterion: value}
        part = ask(narrower)
        yield from part if len(part) < page_limit else _parts(ask, narrower, page, page_limit, finer)


def _stuck(page: Sequence[PlatformFlow]) -> PlatformListStuckError:
    return PlatformListStuckError(
        f"more than {len(page)} of its flows share one updatedAt ({page[0].updated_at.isoformat()})"
    )
