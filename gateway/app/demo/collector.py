"""Camille, who collects: the person of the demonstration does what the pages let a person do."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.access.principal import Principal
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.app.demo.stage import Stage
from gateway.app.services import Services
from gateway.collection import confirming
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.scenarios import Channel
from gateway.collection.worklist.calls import NewCall, record_call
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import CallOutcome
from gateway.collection.worklist.ranking import Matter, Source
from gateway.kernel.clock import paris_date
from gateway.notifications.service import channels_of

_ALL = Scope.everything()
_BY_HAND = "Envoyé depuis ma messagerie."
_REACHED = "Comptabilité jointe : le règlement doit être vérifié."
_UNREACHABLE = "Injoignable par téléphone."
_BY_POST = "Recommandé 1A 206 900 {number:04d} 1"


class Collector:
    """Each deed is a transaction of its own, and changes nothing when it was done before."""

    def __init__(self, services: Services, stage: Stage) -> None:
        self._services = services
        self._person = Principal(
            stage.organisation_id, "user", stage.user_id, stage.user_name, frozenset(), Role.AR_MANAGER, _ALL
        )
        self._viewer = Viewer.of(self._person)

    def confirm_reminders(self) -> None:
        """Let every reminder leave that waits for it."""
        for reminder_id in self._ids(ReminderState.AWAITING):
            with self._services.database.transaction(self._person.organisation_id) as session:
                now = self._services.clock()
                confirming.confirm(session, _ALL, reminder_id, by=self._viewer.name, now=now)

    def send_by_hand(self) -> None:
        """Send what no server sends: the demonstration has no mail server, and letters are posted anyway."""
        for reminder_id in self._ids(ReminderState.TODO, [each for each in Channel if each.is_written]):
            with self._services.database.transaction(self._person.organisation_id) as session:
                outcome = _outcome(session, session.get_one(Reminder, reminder_id))
                now = self._services.clock()
                confirming.complete(session, _ALL, reminder_id, by=self._viewer.name, outcome=outcome, now=now)

    def calls_to_make(self) -> list[Matter]:
        """The calls that scenarios ask for today."""
        today = paris_date(self._services.clock())
        with self._services.database.transaction(self._person.organisation_id) as session:
            found = matters(session, self._viewer)
        calls = [each for each in found if each.source is Source.REMINDER and each.kind == "reminder_call"]
        return [each for each in calls if each.back_on is None or each.back_on <= today]

    def call(
        self, line: Matter, outcome: CallOutcome, *, contact: str, note: str, promised_for: date | None = None
    ) -> None:
        """Record what came of a call."""
        new = NewCall(outcome, contact=contact, note=note, due_on=promised_for)
        with self._services.database.transaction(self._person.organisation_id) as session:
            channels, now = channels_of(self._services.settings), self._services.clock()
            record_call(session, self._person, line.source, line.id, new, channels, now)

    def finish_call(self, line: Matter) -> None:
        """Somebody was reached, and said nothing that binds."""
        with self._services.database.transaction(self._person.organisation_id) as session:
            now = self._services.clock()
            confirming.complete(session, _ALL, line.id, by=self._viewer.name, outcome=_REACHED, now=now)

    def give_up_call(self, line: Matter) -> None:
        """Nobody can be reached: the scenario goes on without this call."""
        with self._services.database.transaction(self._person.organisation_id) as session:
            now = self._services.clock()
            confirming.refuse(session, _ALL, line.id, by=self._viewer.name, reason=_UNREACHABLE, now=now)

    def _ids(self, state: ReminderState, channels: Iterable[Channel] = Channel) -> list[UUID]:
        with self._services.database.transaction(self._person.organisation_id) as session:
            wanted = select(Reminder.id).where(
                Reminder.state == state.value, col(Reminder.channel).in_([each.value for each in channels])
            )
            return list(session.exec(wanted.order_by(col(Reminder.decided_at), col(Reminder.id))).all())


def _outcome(session: Session, reminder: Reminder) -> str:
    if reminder.channel == Channel.EMAIL:
        return _BY_HAND
    posted = session.exec(
        select(Reminder.id).where(Reminder.channel == reminder.channel, Reminder.state == "sent")
    ).all()
    return _BY_POST.format(number=len(posted) + 1)
