"""One line for one matter: the most urgent action leads, its explanation tells the others. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.collection.same_matter import Told, by_matter, urgency
from gateway.collection.worklist.ranking import Matter
from gateway.kernel.text import Text


@dataclass(frozen=True, slots=True)
class ToldLine:
    """The line of an action, what it tells, how grave its alert is and why it was opened."""

    line: Matter
    told: Told
    severity: str
    reason: Text


def joined(lines: Iterable[ToldLine]) -> Iterator[Matter]:
    """A line for each matter.

    Of several actions, the gravest leads, then the one due first. The newest tells the amount, which counts once.
    """
    found = {each.told.action_id: each for each in lines}
    for group in by_matter(each.told for each in found.values()):
        yield _one([found[each.action_id] for each in group])


def _one(group: Sequence[ToldLine]) -> Matter:
    if len(group) == 1:
        return group[0].line
    leader, *others = sorted(group, key=lambda each: urgency(each.severity, each.line.due_on, each.told.action_id))
    newest = max(group, key=lambda each: (each.told.at, each.told.action_id)).line
    said = leader.line.explanation
    back = [each.line.back_on for each in group if each.line.back_on]
    return replace(
        leader.line,
        also=tuple(each.told.action_id for each in others),
        explanation=Text(
            " ".join((said.fr, *(f"Aussi : {each.reason.fr}" for each in others))),
            " ".join((said.en, *(f"Also: {each.reason.en}" for each in others))),
        ),
        since=min(each.line.since for each in group),
        amount=newest.amount,
        currency=newest.currency,
        assigned_to=next((each.line.assigned_to for each in (leader, *others) if each.line.assigned_to), None),
        calls=sum(each.line.calls for each in group),
        back_on=max(back, default=None),
    )
