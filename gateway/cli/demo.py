"""`gateway demo`: the whole story on sample data, with pages to look at, or once with its facts printed."""

import json
import threading
import time
from datetime import date
from functools import partial
from typing import Annotated

import httpx
import typer

from gateway.kernel.settings import Settings, load_settings


def demo_command(
    once: Annotated[
        bool, typer.Option("--once", help="Joue l’histoire, l’imprime et s’arrête. / Play the story, print it, exit.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Les faits en JSON. / The facts as JSON.")] = False,
    port: Annotated[int | None, typer.Option(help="Port TCP des pages. / TCP port of the pages.")] = None,
) -> None:
    """Démonstration : des factures, leurs statuts, les alertes, et le recouvrement de quatre-vingts jours.

    Demonstration: invoices, their statuses, the alerts, and eighty days of collection.
    """
    if once:
        _play_once(as_json)
    else:
        _serve(port, as_json)


def _play_once(as_json: bool) -> None:
    """Everything on a throw-away server and a clock of its own: the same facts all day."""
    from gateway.app.demo.once import play_once
    from gateway.app.logs import configure_logs

    configure_logs(load_settings(log_level="error", log_format="console"))
    found = play_once()
    typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else found.story())


def _serve(port: int | None, as_json: bool) -> None:
    from gateway.app.demo.clock import StoryClock
    from gateway.app.demo.script import read_script
    from gateway.app.demo.stage import set_stage
    from gateway.app.logs import configure_logs
    from gateway.app.running import run_service
    from gateway.app.service import create_app
    from gateway.app.services import build_services
    from gateway.database import open_database
    from gateway.kernel.clock import system_clock

    settings = _demo_settings(port)
    configure_logs(settings)
    database = open_database(settings)
    script, come_to = read_script(database, system_clock)
    clock = StoryClock(come_to, script.ends_at)
    services = build_services(
        settings,
        clock=clock,
        database=database,
        scenarios=script.scenarios,
        simulator_step=lambda: clock.simulator_step,
    )
    stage = set_stage(services)
    tell = partial(_tell, services, clock, stage, script, as_json)
    run_service(services, create_app(services, demo_user_id=stage.user_id), worker=True, clock=True, first=tell)


def _demo_settings(port: int | None) -> Settings:
    """The user's settings, quick enough to watch; nothing leaves this machine."""
    given = {} if port is None else {"port": port}
    quick = {"sweep_seconds": 1.0, "poll_seconds": 1.0}
    calm = {"log_level": "warning", "log_format": "console"}
    return load_settings(**quick, **calm, **given, smtp_url=None, sms_hook_url=None)


def _tell(services, clock, stage, script, as_json: bool, stopping: threading.Event) -> None:  # type: ignore[no-untyped-def]
    """Tell the story once the service answers, then what came of it. A service that is stopped stops the story, too."""
    from gateway.app.demo.facts import facts, progress
    from gateway.app.demo.program import BillingSystem
    from gateway.app.demo.story import Story

    settings = services.settings
    address = f"http://{settings.host}:{settings.port}"
    if not _wait_until_ready(address, stopping):
        if not stopping.is_set():
            typer.echo("Le service ne répond pas. / The service does not answer.", err=True)
        return
    typer.echo(
        f"\n  Pages : {address}   (connexion automatique, Ctrl-C pour arrêter / signed in by itself, Ctrl-C stops)\n"
    )

    def is_over(day: date) -> None:
        typer.echo(f"  {day} · {progress(services, stage.organisation_id)}")

    try:
        Story(services, clock, stage, script, BillingSystem(stage, address)).tell(is_over, stopping)
    except httpx.TransportError:
        # The pages close first: they may be gone before the story hears that it is to stop.
        if not stopping.wait(settings.shutdown_grace_seconds):
            raise
    if stopping.is_set():
        return
    found = facts(services, stage.organisation_id, script)
    typer.echo("\n" + (json.dumps(found.as_json(), ensure_ascii=False) if as_json else found.story()))
    typer.echo(
        f"\n  Où regarder / where to look:\n"
        f"    {address}/alerts        alertes / alerts\n"
        f"    {address}/worklist      à faire / worklist\n"
        f"    {address}/invoices      factures / invoices\n"
        f"    {address}/receivables   encours / receivables\n"
        f"    {address}/reminders     relances / reminders\n"
    )


def _wait_until_ready(address: str, stopping: threading.Event, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not stopping.wait(0.2):
        if _answers(address):
            return True
    return False


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
