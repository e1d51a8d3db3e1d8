"""A process to be killed: it pushes every file of a folder, processes and delivers, and says each thing it does.

Run as: python billing_and_worker.py DATABASE_URL ORGANISATION_ID FOLDER INSTANT
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from gateway.app import tables
from gateway.database import Database
from gateway.flows import processing
from gateway.flows.context import FlowsContext
from gateway.flows.delivery import platform_channel
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.platforms.connections import Connections
from gateway.flows.platforms.transport import Transport
from gateway.flows.simulator.platform import SIMULATOR, SimulatedPlatform
from gateway.invoices.limits import ReadingLimits
from gateway.jobs.outbox import OutboxWorker
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import load_settings
from gateway.ledger.documents import DocumentStore
from gateway.lifecycle.deliveries import PLATFORM_FLOW


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main() -> None:
    assert tables.METADATA
    url, organisation_id, folder, instant = sys.argv[1], UUID(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    database = Database(url, pool_size=3)
    store = DocumentStore(folder / "documents")
    clock = ManualClock(datetime.fromisoformat(instant))
    context = FlowsContext(
        database=database,
        store=store,
        clock=clock,
        settings=load_settings(data_dir=folder, batch_size=1000),
        limits=ReadingLimits(),
        platforms={SIMULATOR: lambda _: SimulatedPlatform(database, organisation_id, clock, timedelta(minutes=1))},
        connections=Connections(database, clock, Transport.open(timeout_seconds=5), max_file_bytes=2**20),
    )
    write = processing.write_flows

    def write_aloud(session, context, reads):  # type: ignore[no-untyped-def]
        say("handling")
        write(session, context, reads)
        session.flush()
        say("handled")

    processing.write_flows = write_aloud  # type: ignore[assignment]
    outbox = OutboxWorker(database, clock, {PLATFORM_FLOW: platform_channel(context)}, attempts=50, batch=1)
    for path in sorted(folder.glob("*.xml")):
        with database.transaction(organisation_id) as session:
            submission = Submission(path.read_bytes(), path.name, "api", tracking_id=path.stem)
            accepted = accept_flow(session, store, submission, now=clock())
        say(f"accepted {accepted.flow.id}")
        processing.drain_flows(context, organisation_id)
        outbox.drain(organisation_id)
    while outbox.drain(organisation_id):
        say("delivered")
    say("done")


main()
