"""Flows accepted over HTTP, processed and sent, and statuses received, beside a naive peer in the same run.

Real processes on one machine and one embedded PostgreSQL: `gateway serve --only-api`, `gateway worker`, `gateway clock`
and `gateway simulate-platform`. The naive peer takes each invoice by HTTP, validates it with saxonche (XSD, EN 16931,
BR-FR; stylesheets compiled once) and stores it with one commit, in as many processes as we have workers; it keeps no
ledger, sends nothing and answers no question afterwards.

`python tests/benchmarks/bench_flows.py [--flows N] [--parts accepted processed naive]` prints Markdown tables. What a
million stored flows change is measured by `bench_flows_stored.py`.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import quantiles
from uuid import UUID

import httpx
from bench_folder import peer_validates, start_peer
from measuring import answers, free_port, machine, processor_seconds, table, wait_until
from sqlalchemy import text

from fixtures.companies import Company, make_customers, make_seller
from fixtures.drafts import make_draft
from fixtures.ubl import to_ubl
from gateway.access.roles import ApiScope
from gateway.access.service import create_client, create_organisation
from gateway.database import Database, open_database
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.platforms.service import ConnectionOrder, connect
from gateway.flows.tasks import POLL_TASK
from gateway.jobs.queue import enqueue
from gateway.kernel.clock import system_clock
from gateway.kernel.settings import load_settings
from gateway.ledger.documents import DocumentStore

GATEWAY = str(Path(sys.executable).with_name("gateway"))
SECRET = "secret-of-the-benchmark"
THREADS = 4
WORKERS = (1, 2, 4)
#: Flows that warm a worker before the clock runs.
WARMING = 8
NOW = "UPDATE flow SET next_attempt_at = now() WHERE state = 'received'"
COMING = "SELECT count(*) FROM simulated_flow WHERE direction = 'In' AND visible_at > now()"
NEWS = "UPDATE simulated_flow SET visible_at = clock_timestamp() WHERE direction = 'In' AND visible_at > now()"
SENT = "SELECT count(*) FROM outbox_message WHERE state = 'sent'"
HEARD = "SELECT count(*) FROM flow WHERE source LIKE 'platform:%' AND state = 'processed'"


@dataclass(frozen=True, slots=True)
class Bench:
    """A gateway's database and what its processes are started with."""

    folder: Path
    database: Database
    environment: dict[str, str]

    def organisation(self, place: int) -> tuple[UUID, Company]:
        """A new organisation, with the company that sells in its name."""
        seller = make_seller(place)
        with self.database.system_transaction() as session:
            row = create_organisation(session, siren=seller.siren, name=seller.name, now=system_clock())
            return row.id, seller

    def accept(self, organisation: UUID, invoices: Sequence[bytes], name: str, due: datetime) -> None:
        """Take invoices in without HTTP, to be processed from an instant on."""
        store = DocumentStore(self.folder / "documents")
        for place, data in enumerate(invoices):
            with self.database.transaction(organisation) as session:
                one = Submission(data, f"{name}-{place}.xml", "api", tracking_id=f"{name}-{place}")
                accept_flow(session, store, one, now=system_clock()).flow.next_attempt_at = due

    def count(self, query: str) -> int:
        """What a counting query gives."""
        with self.database.engine.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    def run(self, statement: str) -> None:
        """Change rows of every organisation."""
        with self.database.engine.begin() as connection:
            connection.execute(text(statement))

    @contextmanager
    def programs(self, *commands: Sequence[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Processes of the gateway that end with the block."""
        environment = os.environ | self.environment
        with (self.folder / "programs.log").open("ab") as log:
            started = [subprocess.Popen([*command], env=environment, stdout=log, stderr=log) for command in commands]
            try:
                yield started
            finally:
                for program in started:
                    program.send_signal(signal.SIGTERM)
                for program in started:
                    program.wait(60)


@contextmanager
def bench() -> Iterator[Bench]:
    """A new gateway in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        database = open_database(load_settings(data_dir=folder))
        environment = {
            "GATEWAY_DATA_DIR": name,
            "GATEWAY_LOG_LEVEL": "error",
            "GATEWAY_PUBLIC_URL": "http://127.0.0.1",  # one issuer of tokens, whatever the port
            "GATEWAY_RATE_LIMIT_PER_MINUTE": "0",
            "GATEWAY_SWEEP_SECONDS": "0.5",
            "GATEWAY_POLL_SECONDS": "3600",
            "GATEWAY_SIMULATOR_STEP_SECONDS": "3600",
        }
        (folder / "secret").write_text(SECRET)
        try:
            yield Bench(folder, database, environment)
        finally:
            database.close()


def invoices(seller: Company, count: int, name: str) -> list[bytes]:
    """Small valid UBL invoices, all different."""
    customers = make_customers(1, 40)
    drafts = (
        make_draft(
            Random(place),
            seller,
            seller.agencies[0],
            customers[place % len(customers)],
            number=f"{name}-{place:05d}",
            line_count=1 + place % 8,
        )
        for place in range(count)
    )
    return [to_ubl(draft) for draft in drafts]


def submit(address: str, headers: dict[str, str], documents: list[bytes], name: str, results) -> None:  # type: ignore[no-untyped-def]
    """A billing system: push every document, a few at a time; milliseconds of each answer."""
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client, ThreadPoolExecutor(THREADS) as threads:

        def push(place: int) -> float:
            info = f'{{"flowSyntax": "UBL", "name": "{name}-{place}.xml", "trackingId": "{name}-{place}"}}'
            start = time.perf_counter()
            answer = client.post(
                "/flow-service/v1/flows", files={"flowInfo": (None, info), "file": ("i.xml", documents[place])}
            )
            assert answer.status_code == 202, answer.text
            return (time.perf_counter() - start) * 1e3

        push(0)
        results.put(None)
        start = time.perf_counter()
        times = list(threads.map(push, range(1, len(documents))))
        results.put((times, time.perf_counter() - start))


def push_together(addresses: Sequence[str], headers: dict[str, str], documents: list[bytes], name: str) -> list[object]:
    """Documents pushed by one client process for each address: how many a second, and how long an answer takes."""
    spawned = get_context("spawn")
    results = spawned.Queue()
    clients = [
        spawned.Process(
            target=submit, args=(address, headers, documents[place :: len(addresses)], f"{name}-{place}", results)
        )
        for place, address in enumerate(addresses)
    ]
    for client in clients:
        client.start()
    told = [each for each in (results.get(timeout=120) for _ in range(2 * len(clients))) if each]
    for client in clients:
        client.join()
    times = [each for some, _ in told for each in some]
    cuts = quantiles(times, n=100)
    rate = len(times) / max(seconds for _, seconds in told)
    return [f"{rate:,.0f}", *(f"{cuts[percent - 1]:.0f}" for percent in (50, 95, 99))]


def accepted(ours: Bench, flows: int) -> str:
    """202 is answered when bytes, row, ledger entry and job are on disk; four requests at a time for each process."""
    rows = []
    for processes in (1, 2):
        organisation, seller = ours.organisation(10 + processes)
        with ours.database.transaction(organisation) as session:
            client = create_client(session, name="billing", scopes=[ApiScope.FLOWS_WRITE], now=system_clock())
        ports = [free_port() for _ in range(processes)]
        commands = [[GATEWAY, "serve", "--only-api", "--port", str(port)] for port in ports]
        with ours.programs(*commands) as started:
            addresses = [f"http://127.0.0.1:{port}" for port in ports]
            wait_until(lambda addresses=addresses: all(answers(f"{each}/health/ready") for each in addresses))
            credentials = (client.client.client_id, client.secret)
            grant = {"grant_type": "client_credentials"}
            token = httpx.post(f"{addresses[0]}/oauth2/token", data=grant, auth=credentials).json()["access_token"]
            documents, before = invoices(seller, flows, f"A{processes}"), processor_seconds(started)
            told = push_together(addresses, {"Authorization": f"Bearer {token}"}, documents, f"a{processes}")
            burnt = (processor_seconds(started) - before) / flows * 1e3
        rows.append([processes, *told, f"{burnt:.1f}"])
    columns = ["API processes", "accepted a second", "p50, ms", "p95, ms", "p99, ms", "processor ms a flow"]
    return table(columns, rows)


@dataclass(frozen=True, slots=True)
class Story:
    """What a set of workers did a second, and its processor time in milliseconds: invoices sent, statuses heard."""

    sent: float
    sending: float
    heard: float
    hearing: float

    def row(self) -> list[str]:
        """Four cells."""
        return [f"{self.sent:,.0f}", f"{self.sending:.1f}", f"{self.heard:,.0f}", f"{self.hearing:.1f}"]


def followed(ours: Bench, workers: int, organisations: Sequence[tuple[UUID, Company]], flows: int) -> Story:
    """Invoices from `received` to sent, then every status that answers them, by workers that run already."""
    name, share = f"W{time.monotonic_ns()}", flows // len(organisations)
    with ours.programs(*[[GATEWAY, "worker"]] * workers, [GATEWAY, "clock"]) as (*working, _):
        warming, sent = WARMING * workers, ours.count(SENT)
        for organisation, seller in organisations:
            ours.accept(organisation, invoices(seller, warming, f"{name}W"), f"{name}w", system_clock())
        sent += warming * len(organisations)
        wait_until(lambda: ours.count(SENT) >= sent)
        for organisation, seller in organisations:
            later = system_clock() + timedelta(days=1)
            ours.accept(organisation, invoices(seller, share, name), name, later)
        sending = timed(ours, working, lambda: ours.run(NOW), SENT, sent + share * len(organisations))

        def show() -> None:
            ours.run(NEWS)
            for organisation, _ in organisations:
                with ours.database.transaction(organisation) as session:
                    enqueue(session, POLL_TASK)

        statuses = ours.count(COMING)
        hearing = timed(ours, working, show, HEARD, ours.count(HEARD) + statuses)
    return Story(
        flows / sending[0], sending[1] / flows * 1e3, statuses / hearing[0], hearing[1] / max(statuses, 1) * 1e3
    )


def timed(
    ours: Bench, programs: Sequence[subprocess.Popen[bytes]], begin: Callable[[], object], query: str, until: int
) -> tuple[float, float]:
    """Seconds from a beginning until so many rows are there, and processor seconds of the programs."""
    burnt, start = processor_seconds(programs), time.perf_counter()
    begin()
    wait_until(lambda: ours.count(query) >= until)
    return time.perf_counter() - start, processor_seconds(programs) - burnt


def processed(ours: Bench, flows: int) -> str:
    """Read, validated by every layer, registered, sent to the simulator; then its statuses, heard and applied."""
    organisations = [ours.organisation(place) for place in range(1, 5)]
    rows = []
    for workers in WORKERS:
        for among in (organisations[:1], organisations) if workers > 1 else (organisations[:1],):
            rows.append([workers, len(among), "in process", *followed(ours, workers, among, flows).row()])
            print(rows[-1], flush=True)
    with platform(ours, organisations[0][0]):
        rows.append([1, 1, "over HTTP", *sent_by_http(ours, organisations[0], flows)])
    columns = ["invoices sent a second", "processor ms each", "statuses heard a second", "processor ms each"]
    return table(["workers", "organisations", "platform", *columns], rows)


@contextmanager
def platform(ours: Bench, organisation: UUID) -> Iterator[None]:
    """`gateway simulate-platform` with a database of its own, connected to the organisation."""
    port, theirs = free_port(), ours.folder / "platform"
    theirs.mkdir()
    theirs.chmod(0o755)
    with ours.database.transaction(organisation) as session:
        order = ConnectionOrder(
            name="bench",
            kind="simulated",
            client_id="bench",
            secret_reference=f"file:{ours.folder / 'secret'}",
            flow_url=f"http://127.0.0.1:{port}/flow-service/v1",
            token_url=f"http://127.0.0.1:{port}/oauth2/token",
        )
        connect(session, order, now=system_clock())
    command = [GATEWAY, "simulate-platform", "--port", str(port), "--data-dir", str(theirs), "--step", "3600"]
    with ours.programs([*command, "--client", f"bench:{SECRET}"]):
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/flow-service/v1/healthcheck"))
        yield


def sent_by_http(ours: Bench, organisation: tuple[UUID, Company], flows: int) -> list[str]:
    """The sending alone: the statuses stay at the platform."""
    name = "H"
    with ours.programs([GATEWAY, "worker"], [GATEWAY, "clock"]) as (working, _):
        sent = ours.count(SENT) + WARMING
        ours.accept(organisation[0], invoices(organisation[1], WARMING, "HW"), "hw", system_clock())
        wait_until(lambda: ours.count(SENT) >= sent)
        ours.accept(organisation[0], invoices(organisation[1], flows, name), name, system_clock() + timedelta(days=1))
        seconds, burnt = timed(ours, [working], lambda: ours.run(NOW), SENT, sent + flows)
    return [f"{flows / seconds:,.0f}", f"{burnt / flows * 1e3:.1f}", "–", "–"]


def naive(ours: Bench, flows: int) -> str:
    """The peer: posted, validated by saxonche, stored by one commit."""
    rows = []
    ours.run("CREATE TABLE naive_flow (at timestamptz, failed integer, data bytea)")
    _, seller = ours.organisation(9)
    for processes in WORKERS:
        ports = [free_port() for _ in range(processes)]
        commands = [[sys.executable, __file__, "--peer", str(port), ours.database.conninfo] for port in ports]
        with ours.programs(*commands):
            addresses = [f"http://127.0.0.1:{port}" for port in ports]
            wait_until(lambda addresses=addresses: all(answers(each) for each in addresses))
            told = push_together(addresses, {}, invoices(seller, flows, f"N{processes}"), "n")
        rows.append([processes, *told])
        print(rows[-1], flush=True)
    return table(["processes", "a second", "p50, ms", "p95, ms", "p99, ms"], rows)


def serve_peer(port: int, address: str) -> None:
    """One process of the naive peer."""
    import psycopg
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    start_peer()
    connection = psycopg.connect(address)

    async def take(request: Request) -> Response:
        form = await request.form()
        data = await form["file"].read()  # type: ignore[union-attr]
        with tempfile.NamedTemporaryFile(suffix=".xml") as file:
            Path(file.name).write_bytes(data)
            failed = peer_validates(file.name)
        connection.execute("INSERT INTO naive_flow VALUES (now(), %s, %s)", (failed, data))
        connection.commit()
        return Response(status_code=202)

    app = Starlette(routes=[Route("/flow-service/v1/flows", take, methods=["POST"])])
    uvicorn.run(app, port=port, log_level="error")


PARTS = {"accepted": accepted, "processed": processed, "naive": naive}


def main() -> None:
    """Measure the parts one after another and print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--flows", type=int, default=1000)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--peer", nargs=2, metavar=("PORT", "DATABASE"))
    options = parser.parse_args()
    if options.peer:
        serve_peer(int(options.peer[0]), options.peer[1])
        return
    print(f"Measured on: {machine()}; {options.flows} flows a figure; load {os.getloadavg()[0]:.1f} at the start\n")
    for name in options.parts:
        with bench() as ours:
            print(f"### {name}\n\n{PARTS[name].__doc__}\n\n{PARTS[name](ours, options.flows)}\n", flush=True)
    print(f"Load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
