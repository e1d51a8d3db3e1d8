"""`kill -9` anywhere: what was accepted is there, nothing is lost, nothing is doubled."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from gateway.flows.model import Flow, FlowState, SimulatedFlow
from gateway.flows.terms import AckStatus
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from gateway.lifecycle.model import InvoiceRecord

SCRIPT = Path(__file__).with_name("billing_and_worker.py")
INVOICES = 12
#: Words after which each run is killed: in intake, inside the processing transaction, after it, and so on.
KILLED_AFTER = (2, 3, 8, 13)


def run(world, folder: Path, killed_after: int | None) -> list[str]:
    """The words the process said before it was killed, or before it ended by itself."""
    command = [sys.executable, str(SCRIPT), world.database.url, str(world.organisation_id), str(folder)]
    process = subprocess.Popen([*command, world.clock().isoformat()], stdout=subprocess.PIPE, text=True)
    said: list[str] = []
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            said.append(line.strip())
            if len(said) == killed_after:
                process.kill()
                break
    process.wait()
    return said


def test_processes_killed_again_and_again_lose_and_double_nothing(world, invoice, tmp_path):
    for number in range(INVOICES):
        (tmp_path / f"F{number:02d}.xml").write_bytes(invoice(f"F{number:02d}"))
    accepted: set[UUID] = set()
    for killed_after in (*KILLED_AFTER, None):
        said = run(world, tmp_path, killed_after)
        accepted |= {UUID(word.split()[1]) for word in said if word.startswith("accepted")}
        stored = {flow.id for flow in world.rows(Flow)}
        assert accepted <= stored, "what was answered as accepted is stored"
        world.clock.advance(timedelta(hours=1))
    assert said[-1] == "done"

    flows, messages = world.rows(Flow), world.rows(OutboxMessage)
    assert len(flows) == INVOICES
    assert {(flow.state, flow.ack_status) for flow in flows} == {(FlowState.PROCESSED, AckStatus.OK)}
    assert sorted(row.number for row in world.rows(InvoiceRecord)) == [f"F{n:02d}" for n in range(INVOICES)]
    assert [message.state for message in messages] == [OutboxState.SENT] * INVOICES
    sent = [flow for flow in world.rows(SimulatedFlow) if flow.direction == "Out"]
    assert len(sent) == len({flow.invoice_key for flow in sent}) == INVOICES
    assert {message.remote_id for message in messages} == {str(flow.id) for flow in sent}
    kinds = Counter(entry.kind for entry in world.rows(LedgerEntry))
    assert kinds == {"flow.received": INVOICES, "invoice.registered": INVOICES, "flow.acknowledged": INVOICES}
    with world.database.transaction(world.organisation_id) as session:
        assert verify(session).holds
