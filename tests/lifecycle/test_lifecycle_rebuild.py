"""Every projection is what its events say: computed again, it is the same to the byte."""

from datetime import timedelta
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from gateway.ledger.model import LedgerEntry
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.rebuild import rebuild
from gateway.lifecycle.records import InvoiceDocument
from gateway.lifecycle.service import record_message, register_invoice
from tests.lifecycle.following import invoice, now_known, record, register
from tests.lifecycle.making_events import START, amount, message

REASONS = {"206": ["PU_ERR"], "207": ["QTE_ERR"], "208": ["JUSTIF_ABS"], "210": ["TX_TVA_ERR"], "501": ["IRR_SYNTAX"]}
CODES = ["200", "201", "202", "203", "204", "205", "206", "207", "208", "209", "210", "211", "212", "213", "220"]
CODES += ["221", "225", "501", "601", "280"]

status = st.builds(
    lambda code, hours, doublon, money: (
        code,
        hours,
        (["DOUBLON"] if doublon else ["REJ_SEMAN"]) if code == "213" else REASONS.get(code, []),
        money if code == "212" else None,
    ),
    st.sampled_from(CODES),
    st.integers(0, 4),
    st.booleans(),
    st.integers(-60, 120),
)
#: Two invoices; each is registered somewhere in the history, maybe at its very end, maybe never.
step = st.one_of(st.tuples(st.integers(0, 1), st.none()), st.tuples(st.integers(0, 1), status))
histories = st.lists(step, min_size=1, max_size=10).flatmap(
    lambda steps: st.lists(st.sampled_from(steps), max_size=4).map(lambda repeated: steps + repeated)
)
examples = count()


def projections(database, organisation):
    with database.transaction(organisation) as session:
        return {row.id: row.model_dump() for row in session.exec(select(InvoiceRecord))}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_rebuilding_gives_what_random_histories_gave_step_by_step(database, organisation, history):
    example = next(examples)
    with database.transaction(organisation) as session:
        for which, given_status in history:
            number = f"H{example}-{which}"
            if given_status is None:
                register_invoice(
                    session,
                    invoice=invoice(number),
                    document=InvoiceDocument("UBL", "EN 16931", "0" * 64),
                    flow_id=None,
                    agency_id=None,
                    direction=Direction.RECEIVABLE,
                    now=START,
                )
                continue
            code, hours, reasons, money = given_status
            data = [] if money is None else [amount("MEN", f"{money}.00", "20.00")]
            record_message(
                session,
                message=message(code, hours, reasons=reasons, data=data, number=number),
                direction=Direction.RECEIVABLE,
                document_sha256=None,
                flow_id=None,
                now=START + timedelta(hours=hours),
            )
    before = projections(database, organisation)
    with database.transaction(organisation) as session:
        result = rebuild(session)
    assert result.corrected == ()
    assert result.invoices == len(before)
    assert projections(database, organisation) == before


def test_a_projection_changed_by_hand_is_put_right_and_named(database, organisation):
    followed = register(database, organisation).invoice
    record(database, organisation, "212", 1, data=[amount("MEN", "20.00", "20.00")])
    right = now_known(database, organisation, followed.id).model_dump()
    with database.transaction(organisation) as session:
        tampered = session.get_one(InvoiceRecord, followed.id)
        tampered.status, tampered.collected, tampered.state = "205", Decimal("99.00"), {}
    done = []
    with database.transaction(organisation) as session:
        result = rebuild(session, done.append)
    assert result.corrected == (followed.id,)
    assert done == [1]
    assert now_known(database, organisation, followed.id).model_dump() == right


def test_rebuilding_writes_nothing_but_projections(database, organisation):
    register(database, organisation)
    record(database, organisation, "205", 1)
    with database.transaction(organisation) as session:
        rebuild(session)
        assert len(session.exec(select(LedgerEntry)).all()) == 2
