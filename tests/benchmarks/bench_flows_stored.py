"""What stored flows change: accepting, processing and searching while the store grows, with the plans of the queries.

The flows are made by the database from one that was really processed, with its document and its outbox message, spread
over time. `python tests/benchmarks/bench_flows_stored.py [--most 1000000]` prints Markdown tables; a million flows take
about 3 GB of disk.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

from bench_baseline import SELLER, draft
from measuring import machine, table
from sqlalchemy import event, text
from sqlmodel import Session

from fixtures.ubl import to_ubl
from gateway.access.service import create_organisation
from gateway.app.logs import configure_logs
from gateway.app.services import Services, build_services
from gateway.app.tables import METADATA
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.repository import known_at_platform, next_due, next_update
from gateway.flows.searching import FlowCriteria, search_flows
from gateway.kernel.settings import load_settings

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SAMPLE = 20
#: Rows like the one flow that was processed: every second one came from a platform, one in a thousand was refused.
FILL = """
    INSERT INTO flow ({columns}) SELECT {columns} FROM (
        SELECT made.* FROM (SELECT * FROM flow WHERE name = 'model.xml') AS model,
        generate_series({first}, {last}) AS n, LATERAL jsonb_populate_record(NULL::flow, to_jsonb(model) ||
            jsonb_build_object('id', gen_random_uuid(), 'name', n || '.xml',
                'source', CASE WHEN n % 2 = 0 THEN 'api' ELSE 'platform:bench' END,
                'tracking_id', CASE WHEN n % 2 = 0 THEN 't' || n END,
                'platform_flow_id', CASE WHEN n % 2 = 1 THEN 'p' || n END,
                'flow_type', CASE WHEN n % 2 = 0 THEN 'CustomerInvoice' ELSE 'CustomerInvoiceLC' END,
                'processing_rule', CASE WHEN n % 1000 = 1 THEN 'B2G' ELSE 'B2B' END,
                'ack_status', CASE WHEN n % 1000 = 0 THEN 'Error' ELSE 'Ok' END,
                'document_sha256', encode(sha256(CAST('f' || n AS bytea)), 'hex'),
                'updated_at', model.updated_at - interval '400 days' + n * interval '30 seconds')) AS made) AS rows;
    INSERT INTO document SELECT encode(sha256(CAST('f' || n AS bytea)), 'hex'), organisation_id, media_type, size,
        stored_at FROM (SELECT * FROM document LIMIT 1) AS model, generate_series({first}, {last}) AS n;
    INSERT INTO outbox_message OVERRIDING USER VALUE SELECT made.* FROM (SELECT * FROM outbox_message LIMIT 1) AS model,
        generate_series({first}, {last}, 2) AS n, LATERAL jsonb_populate_record(NULL::outbox_message, to_jsonb(model) ||
            jsonb_build_object('id', gen_random_uuid(), 'idempotency_key', 'k' || n, 'order_key', 'k' || n)) AS made
"""


def fill(services: Services, first: int, last: int) -> None:
    """Flows `first` to `last`, as the database would hold them."""
    with services.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET session_replication_role = replica"))
        columns = ", ".join(column.name for column in METADATA.tables["flow"].columns if column.computed is None)
        for statement in FILL.format(first=first, last=last, columns=columns).split(";\n"):
            connection.execute(text(statement.replace(":flow", r"\:flow").replace(":outbox", r"\:outbox")))
        for name in ("flow", "document", "outbox_message"):
            connection.execute(text(f"VACUUM ANALYZE {name}"))
        connection.invalidate()


def accept(services: Services, organisation: UUID, name: str) -> None:
    """One flow, as after its upload."""
    data = to_ubl(draft(5, name))
    with services.database.transaction(organisation) as session:
        one = Submission(data, f"{name}.xml", "api", tracking_id=name)
        accept_flow(session, services.documents, one, now=services.clock())


def milliseconds(work: Callable[[int], object]) -> float:
    """Median of some runs, after one that warms up."""
    times = []
    for place in range(SAMPLE + 1):
        start = perf_counter()
        work(place)
        times.append((perf_counter() - start) * 1e3)
    return median(times[1:])


def queries(session: Session, stored: int, newest: datetime) -> dict[str, Callable[[], object]]:
    """Every question that is asked of the flows, by name."""
    known = [f"p{n}" for n in range(1, min(stored, 200), 2)]
    after = newest - timedelta(hours=2)
    page = search_flows(session, FlowCriteria(directions=("Out",)), limit=100)
    return {
        "updatedAfter": lambda: search_flows(session, FlowCriteria(updated_after=after)),
        "updatedBefore": lambda: search_flows(session, FlowCriteria(updated_before=after)),
        "trackingId": lambda: search_flows(session, FlowCriteria(tracking_id=f"t{stored // 2 * 2}")),
        "trackingId, none": lambda: search_flows(session, FlowCriteria(tracking_id="unknown")),
        "flowDirection": lambda: search_flows(session, FlowCriteria(directions=("In",))),
        "flowType": lambda: search_flows(session, FlowCriteria(flow_types=("CustomerInvoice",))),
        "flowType, none": lambda: search_flows(session, FlowCriteria(flow_types=("SupplierInvoice",))),
        "processingRule, 1 in 1,000": lambda: search_flows(session, FlowCriteria(processing_rules=("B2G",))),
        "ackStatus Error, 1 in 1,000": lambda: search_flows(session, FlowCriteria(ack_status="Error")),
        "flowType and ackStatus, 1 in 1,000": lambda: search_flows(
            session, FlowCriteria(flow_types=("CustomerInvoice",), ack_status="Error")
        ),
        "flowType, direction and updatedAfter, none": lambda: search_flows(
            session, FlowCriteria(flow_types=("SupplierInvoice",), directions=("Out",), updated_after=after)
        ),
        "next page by cursor": lambda: search_flows(
            session, FlowCriteria(directions=("Out",)), cursor=page.next_cursor, limit=100
        ),
        "next flow due": lambda: next_due(session, newest, 1),
        "next updatedAt": lambda: next_update(session, newest),
        "100 known at a platform": lambda: known_at_platform(session, "platform:bench", known),
    }


def plan_of(session: Session, work: Callable[[], object]) -> str:
    """How the database reads `flow` for a question: each index, or `whole table`."""
    asked: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, *_rest):  # type: ignore[no-untyped-def]
        asked.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    work()
    event.remove(engine, "before_cursor_execute", note)
    statement, parameters = [each for each in asked if "FROM flow" in each[0]][-1]
    plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars()
    used = [line.split(" on flow")[0].split("using ")[-1].strip(" ->") for line in plan if "Scan" in line]
    return ", ".join(dict.fromkeys("whole table" if each == "Seq Scan" else each for each in used))


def main() -> None:
    """Fill, measure, fill further, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=1_000_000, help="flows stored at last")
    sizes = [size for size in SIZES if size <= parser.parse_args().most]
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        settings = load_settings(data_dir=Path(name), log_level="error", simulator_step_seconds=3600)
        configure_logs(settings)
        services = build_services(settings)
        with services.database.system_transaction() as session:
            organisation = create_organisation(session, siren=SELLER.siren, name=SELLER.name, now=services.clock()).id
        accept(services, organisation, "model")
        services.engine.run_until_idle()
        filled, walking, asking, plans = 0, [], {}, {}
        for stored in sizes:
            start = perf_counter()
            fill(services, filled + 1, stored)
            filled = stored
            print(f"{stored:,} flows stored after {perf_counter() - start:.0f} s more", flush=True)
            accepting = milliseconds(lambda _: accept(services, organisation, uuid4().hex[:12]))
            start = perf_counter()
            services.engine.run_until_idle()
            processing = (perf_counter() - start) / (SAMPLE + 1) * 1e3
            walking.append([f"{stored:,}", f"{accepting:.1f}", f"{processing:.1f}", f"{os.getloadavg()[0]:.0f}"])
            print(walking[-1], flush=True)
            with services.database.transaction(organisation) as session:
                for asked, work in queries(session, stored, services.clock()).items():
                    asking.setdefault(asked, []).append(f"{milliseconds(lambda _, work=work: work()):.1f}")
                    plans[asked] = plan_of(session, work)
        services.close()
    print(f"\nMeasured on: {machine()}\n")
    print(table(["flows stored", "accepted, ms", "processed and sent, ms", "load"], walking) + "\n")
    rows = [[asked, *times, plans[asked]] for asked, times in asking.items()]
    print(table(["question, ms at", *(f"{size:,}" for size in sizes), "read by"], rows))


if __name__ == "__main__":
    main()
