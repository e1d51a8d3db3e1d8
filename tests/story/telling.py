"""The story: invoices go through a gateway and a platform, each of several processes that are killed all the time.

The gateway hears the platform in both ways: it reads its list now and then, and is called, when no call is lost.

Run as `python tests/story/telling.py --invoices 2000 --seed 1` (make story), or by the test with fewer invoices. Both
sides have a database of their own. When the killing is over they must agree on every invoice.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from uuid import UUID

import httpx
from sqlmodel import col, func, select

from fixtures.companies import Company, make_customers, make_seller
from fixtures.drafts import Kind, make_draft
from fixtures.ubl import to_ubl
from gateway.access.model import Organisation
from gateway.access.roles import ApiScope
from gateway.access.service import create_client, create_organisation
from gateway.database import Database, open_database
from gateway.flows.hearing.model import PlatformCall
from gateway.flows.model import Flow, FlowState, SimulatedFlow
from gateway.flows.platforms.service import ConnectionOrder, connect
from gateway.flows.simulator.scenarios import scenario_for
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.kernel.clock import system_clock
from gateway.kernel.settings import load_settings
from gateway.ledger.service import verify
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent

GATEWAY = Path(sys.executable).with_name("gateway")
SECRET = "s3cret-of-the-story"
DAMAGED = "damaged-"
#: When nothing has moved for so long, what is not agreed is a quarrel: a slow machine may take its time.
_PATIENCE_SECONDS = 300.0
_SUBSCRIBING_TRIES = 30
FAULTS = {
    "slow": 0.02,
    "429": 0.01,
    "500": 0.01,
    "lost-answer": 0.005,
    "expired-token": 0.01,
    "changed-cursor": 0.05,
    "duplicated": 0.03,
    "reordered": 0.05,
    "damaged": 0.02,
    "lost-webhook": 0.3,
}


@dataclass
class Program:
    """One process of the story, that is started again each time it is killed."""

    name: str
    arguments: list[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0

    def start(self) -> None:
        """Start, or start again."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(GATEWAY), *self.arguments], env={**os.environ, **self.environment}, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.deaths += 1


@dataclass
class Stage:
    """Both sides of the story, before it begins."""

    gateway: Database
    platform: Database
    organisation_id: UUID
    platform_id: UUID
    seller: Company
    address: str
    client_id: str
    client_secret: str
    programs: list[Program]


@dataclass
class Agreement:
    """What both sides say; `quarrels`: each thing on which they do not agree, or that was lost or doubled."""

    invoices: int
    statuses: int
    quarantined: int
    called: int = 0
    deaths: Mapping[str, int] = field(default_factory=dict)
    quarrels: list[str] = field(default_factory=list)
    seconds: float = 0.0


def free_port() -> int:
    """A TCP port that nothing listens on now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def set_stage(folder: Path, seed: int) -> Iterator[Stage]:
    """Both databases, the organisation with its client and its connection, and the programs, not started yet."""
    ours, theirs = folder / "gateway", folder / "platform"
    ours.mkdir()
    theirs.mkdir()
    port, platform_port = free_port(), free_port()
    (folder / "secret").write_text(SECRET)
    seller = make_seller(1, agencies=3)
    with ExitStack() as closing:
        gateway, platform = (closing.enter_context(_opened(data_dir)) for data_dir in (ours, theirs))
        now = system_clock()
        with gateway.system_transaction() as session:
            organisation_id = create_organisation(session, siren=seller.siren, name=seller.name, now=now).id
        with platform.system_transaction() as session:
            row = Organisation(siren="000000000", name="Plateforme simulée", created_at=now)
            session.add(row)
            session.flush()
            platform_id = row.id
        base = f"http://127.0.0.1:{platform_port}"
        with gateway.transaction(organisation_id) as session:
            client = create_client(session, name="billing", scopes=[ApiScope.FLOWS_WRITE], now=now)
            connect(
                session,
                ConnectionOrder(
                    name="story",
                    kind="simulated",
                    client_id="story",
                    secret_reference=f"file:{folder / 'secret'}",
                    flow_url=f"{base}/flow-service/v1",
                    token_url=f"{base}/oauth2/token",
                ),
                now=now,
            )
            client_id, client_secret = client.client.client_id, client.secret
        environment = {
            "GATEWAY_DATA_DIR": str(ours),
            "GATEWAY_PORT": str(port),
            "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "GATEWAY_PLATFORM_TIMEOUT_SECONDS": "2",
            "GATEWAY_SWEEP_SECONDS": "0.5",
            "GATEWAY_POLL_SECONDS": "3",
            "GATEWAY_POLL_OVERLAP_SECONDS": "5",
            "GATEWAY_DELIVERY_ATTEMPTS": "100",
            "GATEWAY_PROCESSING_ATTEMPTS": "50",
            "GATEWAY_LOG_LEVEL": "warning",
        }
        simulate = ["simulate-platform", "--port", str(platform_port), "--data-dir", str(theirs)]
        simulate += [
            "--client",
            f"story:{SECRET}",
            "--seed",
            str(seed),
            "--step",
            "0.3",
            "--slow",
            "0.2",
            "--lost",
            "3",
        ]
        for fault, rate in FAULTS.items():
            simulate += ["--fault", f"{fault}={rate}"]

        _compile_rules(seller, folder, environment)

        def program(name: str, *arguments: str) -> Program:
            return Program(name, list(arguments), environment, folder / f"{name}.log")

        programs = [
            program("api", "serve", "--only-api"),
            program("worker-1", "worker"),
            program("worker-2", "worker"),
            program("clock", "clock"),
            program("platform", *simulate),
        ]
        yield Stage(
            gateway,
            platform,
            organisation_id,
            platform_id,
            seller,
            f"http://127.0.0.1:{port}",
            client_id,
            client_secret,
            programs,
        )


@contextmanager
def _opened(data_dir: Path) -> Iterator[Database]:
    """An embedded database that outlives the programs killed around it and ends with the story."""
    database = open_database(load_settings(data_dir=data_dir))
    try:
        yield database
    finally:
        database.close()
        server = int((data_dir / "postgresql" / "postmaster.pid").read_text().split()[0])
        os.kill(server, signal.SIGINT)


def _compile_rules(seller: Company, folder: Path, environment: Mapping[str, str]) -> None:
    """Once, before every program does it at the same time."""
    sample = folder / "sample.xml"
    sample.write_bytes(next(invoices(seller, 1, seed=0))[1])
    subprocess.run(
        [str(GATEWAY), "validate", str(sample)], env={**os.environ, **environment}, check=True, capture_output=True
    )


def invoices(seller: Company, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Valid invoices by number; their numbers draw their scenarios."""
    customers = make_customers(seed, 40)
    kinds = [Kind.INVOICE, Kind.SEVERAL_RATES, Kind.ON_RECEIPTS]
    for place in range(count):
        number = _number(seed, place)
        draw = Random(number)
        yield (
            number,
            to_ubl(
                make_draft(
                    draw,
                    seller,
                    draw.choice(seller.agencies),
                    draw.choice(customers),
                    draw.choice(kinds),
                    number=number,
                    issue_date=date(2026, 9, 30),
                )
            ),
        )


def subscribe(stage: Stage) -> None:
    """Have the platform call the gateway, as soon as it answers."""
    command = [str(GATEWAY), "platforms", "subscribe", "story"]
    environment = {**os.environ, **stage.programs[0].environment}
    for _ in range(_SUBSCRIBING_TRIES):
        done = subprocess.run(command, check=False, env=environment, capture_output=True)
        if done.returncode == 0:
            return
        time.sleep(0.5)
    raise AssertionError(done.stderr.decode())


def push(stage: Stage, count: int, seed: int) -> None:
    """Push every invoice as a patient billing system does: again until it is answered 202."""
    with httpx.Client(base_url=stage.address, timeout=10) as client:
        for number, data in invoices(stage.seller, count, seed):
            info = f'{{"flowSyntax": "UBL", "name": "{number}.xml", "trackingId": "{number}"}}'
            while not _pushed(client, stage, info, data):
                time.sleep(0.2)


def _pushed(client: httpx.Client, stage: Stage, info: str, data: bytes) -> bool:
    try:
        answer = client.post("/flow-service/v1/flows", files={"flowInfo": (None, info), "file": ("i.xml", data)})
        if answer.status_code == 401:
            token = client.post(
                "/oauth2/token",
                data={"grant_type": "client_credentials"},
                auth=(stage.client_id, stage.client_secret),
            )
            client.headers["Authorization"] = f"Bearer {token.raise_for_status().json()['access_token']}"
            return False
    except httpx.HTTPError:
        return False
    if answer.status_code == 202:
        return True
    assert answer.status_code in (429, 500, 503), answer.text
    return False


def tell(folder: Path, *, count: int, seed: int, deaths: int) -> Agreement:
    """Play the story in an empty `folder`, with `deaths` spread over it; what both sides say when it is over.

    A death comes each time the story has moved on by its share: a slow machine has as many as a quick one, and an end.
    """
    started = moved_at = time.monotonic()
    moved = (0, 0)
    luck = Random(seed)
    whole = count + sum(len(_steps(_number(seed, place), seed)) for place in range(count))
    with set_stage(folder, seed) as stage:
        billing = threading.Thread(target=push, args=(stage, count, seed), daemon=True)
        try:
            for program in stage.programs:
                program.start()
            subscribe(stage)
            billing.start()
            while True:
                agreement = compare(stage, count, seed)
                told = agreement.invoices + agreement.statuses
                died = sum(program.deaths for program in stage.programs)
                if (told, len(agreement.quarrels)) != moved:
                    moved, moved_at = (told, len(agreement.quarrels)), time.monotonic()
                if not agreement.quarrels or time.monotonic() - moved_at > _PATIENCE_SECONDS:
                    break
                if died < deaths and told >= whole * (died + 0.5) / (deaths + 1):
                    victim = luck.choice(stage.programs)
                    victim.kill()
                    victim.start()
                time.sleep(luck.uniform(0, 1))
        finally:
            for program in stage.programs:
                if program.process is not None:
                    program.process.kill()
                    program.process.wait()
        agreement.deaths = {program.name: program.deaths for program in stage.programs}
        agreement.seconds = time.monotonic() - started
        return agreement


def compare(stage: Stage, count: int, seed: int) -> Agreement:
    """What both databases say of every invoice, now."""
    numbers = [_number(seed, place) for place in range(count)]
    with stage.platform.transaction(stage.platform_id) as session:
        held = session.exec(select(SimulatedFlow.invoice_key).where(SimulatedFlow.flow_type == "CustomerInvoice")).all()
        names = session.exec(select(SimulatedFlow.name).where(SimulatedFlow.direction == "In")).all()
    with stage.gateway.transaction(stage.organisation_id) as session:
        records = {row.number: row for row in session.exec(select(InvoiceRecord)).all()}
        told = session.exec(select(LifecycleEvent.number, LifecycleEvent.message_id)).all()
        flows = session.exec(select(Flow.name, Flow.state).where(col(Flow.source).startswith("platform:"))).all()
        unsent = session.exec(
            select(OutboxMessage.state, OutboxMessage.last_error)
            .where(OutboxMessage.kind == "platform.flow")
            .where(OutboxMessage.state != OutboxState.SENT.value)
        ).all()
        unanswered = session.exec(
            select(func.count()).where(OutboxMessage.kind == "platform.flow", col(OutboxMessage.answer).is_(None))
        ).one()
        called = session.exec(select(func.count()).select_from(PlatformCall)).one()
        chain = verify(session)
    quarrels = [f"the platform holds {key} {times} times" for key, times in Counter(held).items() if times != 1]
    holding = Counter(str(key).split("/", 1)[0] for key in held)
    expected: dict[str, set[str]] = {number: set() for number in numbers}
    damaged = Counter(name for name in names if name.startswith(DAMAGED))
    for name in names:
        if not name.startswith(DAMAGED):
            expected.setdefault(name.split("_", 1)[0], set()).add(name.removesuffix(".xml"))
    heard: dict[str, list[str]] = {}
    for number, message_id in told:
        heard.setdefault(number, []).append(message_id)
    for number in numbers:
        steps = _steps(number, seed)
        quarrels += _quarrels(
            number, steps, holding[number], records.get(number), expected[number], heard.get(number, [])
        )
    quarantined = Counter(name for name, state in flows if state == FlowState.QUARANTINED.value)
    if quarantined != damaged:
        quarrels.append(f"quarantine holds {quarantined - damaged} too many, {damaged - quarantined} too few")
    quarrels += [f"an unsent delivery: {state} {error}" for state, error in unsent]
    quarrels += [f"{unanswered} deliveries whose acknowledgement was not heard"] if unanswered else []
    quarrels += [] if called else ["no call of the platform was heard"]
    quarrels += [] if chain.holds else ["the ledger's chain is broken"]
    return Agreement(len(records), len(told), quarantined.total(), called, quarrels=quarrels)


def _quarrels(
    number: str, steps: list[str], holding: int, record: InvoiceRecord | None, expected: set[str], heard: list[str]
) -> Iterator[str]:
    if holding != 1 or record is None:
        yield f"{number}: the platform holds it {holding} times, the gateway {'has it' if record else 'does not'}"
        return
    if len(expected) != len(steps):
        yield f"{number}: the platform plans {len(expected)} of {len(steps)} answers"
    if sorted(heard) != sorted(expected):
        yield f"{number}: heard {len(heard)} ({len(set(heard))} distinct) of {len(expected)} statuses"
    elif record.status != steps[-1]:
        yield f"{number}: stands at {record.status}, its story ends at {steps[-1]}"


def _number(seed: int, place: int) -> str:
    return f"S{seed}-{place:05d}"


def _steps(number: str, seed: int) -> list[str]:
    return [step.status for step in scenario_for(number, {}, seed=seed).steps]


def main() -> None:
    """Tell the story once and say how it ended; exit code 1 when the two sides do not agree."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--invoices", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--deaths", type=int, default=100)
    options.add_argument("--folder", type=Path, default=None, help="kept afterwards, with the logs")
    given = options.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="story-"))
    folder.mkdir(exist_ok=True)
    agreement = tell(folder, count=given.invoices, seed=given.seed, deaths=given.deaths)
    sys.stdout.write(
        f"seed {given.seed}: {agreement.invoices} invoices, {agreement.statuses} statuses, "
        f"{agreement.quarantined} damaged messages in quarantine, {agreement.called} calls heard, "
        f"deaths {dict(agreement.deaths)}, "
        f"{agreement.seconds:.0f} s\n"
    )
    for quarrel in agreement.quarrels[:50]:
        sys.stdout.write(f"  {quarrel}\n")
    sys.stdout.write(f"logs: {folder}\n" if agreement.quarrels or given.folder else "")
    if given.folder is None and not agreement.quarrels:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if agreement.quarrels else 0)


if __name__ == "__main__":
    main()
