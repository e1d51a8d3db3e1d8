"""How a status fits the history of its invoice.

The norm publishes no transition matrix, so nothing here refuses an event: the decision says how ordinary it is, for
display and warnings. What the norm does say (annex B of XP Z12-014, DGFiP specification 3.6.4) holds:

- transmission statuses follow one order, treatment statuses come at any time and in any order;
- 213 and 220 close the cycle; after 210 no mandatory status may follow;
- a paid invoice may still be disputed, even refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.kernel.text import Text
from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.statuses import Ends, StateLine, Status, status, successors


class TransitionKind(StrEnum):
    """How ordinary an event is."""

    EXPECTED = "expected"
    UNUSUAL = "unusual"
    OUT_OF_ORDER = "out_of_order"
    DUPLICATE = "duplicate"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Transition:
    """The decision on one event.

    Attributes:
        kind: how ordinary it is.
        reason: why, in a sentence.
        after: code of the invoice's status just before it, None at the start.
    """

    kind: TransitionKind
    reason: Text
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an invoice has come on its own line.

    Attributes:
        current: code of its current status, None before the first.
        ended_by: code of the status that closed it, None while open.
        refused: whether a 210 has ended the cycle for the public portal.
    """

    current: str | None = None
    ended_by: str | None = None
    refused: bool = False

    def after(self, event: StatusEvent, transition: Transition) -> "Progress":
        """The progress once `event`, judged as `transition`, has come. What cannot move the invoice leaves it as is."""
        known = event.status
        if event.line is not StateLine.INVOICE or not known.advances or transition.kind is TransitionKind.IMPOSSIBLE:
            return self
        return Progress(
            current=event.code,
            ended_by=event.code if known.ends is Ends.ALL else self.ended_by,
            refused=self.refused or known.ends is Ends.MANDATORY,
        )


def assess(history: Iterable[StatusEvent], event: StatusEvent) -> Transition:
    """How `event` fits `history`, the events already recorded for the same invoice, in any order.

    A duplicate has the fingerprint of a recorded event. Otherwise it is judged at its place in time, and is out of
    order when the invoice line already holds a later event. The decision never depends on the order of `history`.
    """
    known = in_order(history)
    if any(each.fingerprint == event.fingerprint for each in known):
        return Transition(
            TransitionKind.DUPLICATE,
            Text("Ce statut est déjà enregistré.", "This status is already recorded."),
            event.code,
        )
    progress = Progress()
    for each in known:
        if each.order_key < event.order_key:
            progress = progress.after(each, judge(progress, each))
    transition = judge(progress, event)
    later = [each for each in known if each.order_key > event.order_key and _moves_invoice(each)]
    if later and _moves_invoice(event) and transition.kind is not TransitionKind.IMPOSSIBLE:
        return Transition(
            TransitionKind.OUT_OF_ORDER,
            Text(
                f"Reçu après {_named(later[0].status).fr}, pourtant plus récent : replacé à sa date.",
                f"Received after {_named(later[0].status).en}, which is more recent: put back at its date.",
            ),
            progress.current,
        )
    return transition


def judge(progress: Progress, event: StatusEvent) -> Transition:
    """How ordinary `event` is as the next one in time, given the progress so far."""
    kind, reason = _judged(progress, event)
    return Transition(kind, reason, progress.current)


def in_order(events: Iterable[StatusEvent]) -> list[StatusEvent]:
    """Each event once, by status date, message date, message id.

    Of duplicates the first in that order stays; of those that differ only in wording or in the order of their reasons,
    the first by content, so that arrival decides nothing.
    """
    unique: dict[str, StatusEvent] = {}
    for event in sorted(events, key=lambda each: each.order_key):
        kept = unique.setdefault(event.fingerprint, event)
        if kept.order_key == event.order_key and event.model_dump_json() < kept.model_dump_json():
            unique[event.fingerprint] = event
    return list(unique.values())


def _judged(progress: Progress, event: StatusEvent) -> tuple[TransitionKind, Text]:
    known = event.status
    name = _named(known)
    if not known.known:
        return TransitionKind.UNUSUAL, Text(
            "Code non publié, peut-être convenu entre les parties : conservé tel quel.",
            "Unpublished code, perhaps agreed between the parties: kept as it is.",
        )
    if event.line is StateLine.TRANSMISSION:
        return TransitionKind.EXPECTED, Text(
            "Concerne une transmission ; la facture n’est pas touchée.",
            "Speaks of one transmission; the invoice is untouched.",
        )
    if event.line is StateLine.REPORTING:
        return TransitionKind.EXPECTED, Text(
            "Concerne les échanges avec le portail public ; la facture n’est pas touchée.",
            "Speaks of the exchanges with the public portal; the invoice is untouched.",
        )
    if not known.advances:
        return TransitionKind.EXPECTED, Text(
            f"{name.fr} précise qui payer, sans changer l’avancement.",
            f"{name.en} tells whom to pay, without changing the progress.",
        )
    if impossible := _impossible(progress, event):
        return TransitionKind.IMPOSSIBLE, impossible
    usual = successors(progress.current, event.day)
    if event.code in usual.usual:
        return TransitionKind.EXPECTED, Text("Suite habituelle.", "Usual next step.")
    if progress.current is None:
        return TransitionKind.UNUSUAL, Text(
            f"Premier statut connu : {name.fr}. Les étapes précédentes manquent.",
            f"First known status: {name.en}. The earlier steps are missing.",
        )
    before = _named(status(progress.current, event.day))
    if event.code in usual.possible:
        return TransitionKind.UNUSUAL, Text(
            f"{name.fr} après {before.fr} : permis, mais rare.", f"{name.en} after {before.en}: allowed, but rare."
        )
    return TransitionKind.UNUSUAL, Text(
        f"{name.fr} après {before.fr} : aucun usage connu, à vérifier.",
        f"{name.en} after {before.en}: no known use, to be checked.",
    )


def _impossible(progress: Progress, event: StatusEvent) -> Text | None:
    known = event.status
    if known.code == progress.current:
        return None
    name = _named(known)
    if progress.ended_by:
        end = _named(status(progress.ended_by, event.day))
        return Text(
            f"{end.fr} a clos la facture : {name.fr} est conservé, sans effet sur son statut.",
            f"{end.en} closed the invoice: {name.en} is kept, without effect on its status.",
        )
    if progress.refused and known.mandatory:
        return Text(
            f"Après un refus (210), aucun statut obligatoire n’est admis : {name.fr} est conservé, sans effet.",
            f"After a refusal (210) no mandatory status is allowed: {name.en} is kept, without effect.",
        )
    return None


def _moves_invoice(event: StatusEvent) -> bool:
    return event.line is StateLine.INVOICE and event.status.advances


def _named(known: Status) -> Text:
    return Text(f"« {known.label.fr} » ({known.code})", f"“{known.label.en}” ({known.code})")
