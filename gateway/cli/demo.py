"""`gateway demo`: the whole story on sample data, with pages to look at, or once with its facts printed."""

import json
import threading
import time
from typing import Annotated

import typer

from gateway.kernel.settings import Settings, load_settings


def demo_command(
    once: Annotated[
        bool, typer.Option("--once", help="Joue l'histoire, l'imprime et s'arrête. / Play the story, print it, exit.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Les faits en JSON. / The facts as JSON.")] = False,
    port: Annotated[int | None, typer.Option(help="Port TCP des pages. / TCP port of the pages.")] = None,
) -> None:
    """Démonstration : des factures, leurs statuts, les alertes et les actions qui en naissent.

    Demonstration: invoices, their statuses, the alerts and the actions that follow.
    """
    if once:
        _play_once(as_json)
    else:
        _serve(port, as_json)


def _play_once(as_json: bool) -> None:
    """Everything on a throw-away server and a clock that is moved by hand: the same facts every time."""
    from gateway.app.demo_once import play_once
    from gateway.app.logs import configure_logs

    configure_logs(load_settings(log_level="error", log_format="console"))
    found = play_once()
    typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else found.story())


def _serve(port: int | None, as_json: bool) -> None:
    from gateway.app.demo import set_stage
    from gateway.app.demo_once import scenarios_of_demo
    from gateway.app.logs import configure_logs
    from gateway.app.running import run_service
    from gateway.app.service import create_app
    from gateway.app.services import build_services
    from gateway.database import open_database

    settings = _demo_settings(port)
    configure_logs(settings)
    database = open_database(settings)
    services = build_services(settings, database=database, scenarios=scenarios_of_demo(database))
    stage = set_stage(services)
    address = f"http://{settings.host}:{settings.port}"
    story = threading.Thread(target=_tell, args=(services, stage, address, as_json), daemon=True)
    story.start()
    run_service(services, create_app(services, demo_user_id=stage.user_id), worker=True, clock=True)


def _demo_settings(port: int | None) -> Settings:
    """The user's settings, with a platform and a clock quick enough to watch."""
    given = {} if port is None else {"port": port}
    quick = {"simulator_step_seconds": 1.5, "sweep_seconds": 1.0, "poll_seconds": 1.0}
    calm = {"log_level": "warning", "log_format": "console"}
    return load_settings(**quick, **calm, **given)


def _tell(services, stage, address: str, as_json: bool) -> None:  # type: ignore[no-untyped-def]
    """Push the invoices once the service answers, then say what comes of them until nothing moves any more."""
    from gateway.app.demo import facts, push

    if not _wait_until_ready(address):
        typer.echo("Le service ne répond pas. / The service does not answer.", err=True)
        return
    typer.echo(
        f"\n  Pages : {address}   (connexion automatique, Ctrl-C pour arrêter / signed in by itself, Ctrl-C stops)\n"
    )
    count = push(stage, address)
    typer.echo(f"  {count} fichiers poussés par l'API / files pushed through the API")
    last, quiet = None, 0
    while quiet < 8:
        time.sleep(1)
        now = facts(services.database, stage.organisation_id)
        quiet = quiet + 1 if now == last else 0
        if now != last:
            typer.echo("  " + now.line())
        last = now
    assert last is not None
    typer.echo("\n" + (json.dumps(last.as_json(), ensure_ascii=False) if as_json else last.story()))
    typer.echo(
        f"\n  Où regarder / where to look:\n"
        f"    {address}/alerts     alertes / alerts\n"
        f"    {address}/worklist   à faire / worklist\n"
        f"    {address}/invoices   factures / invoices\n"
    )


def _wait_until_ready(address: str, seconds: float = 60.0) -> bool:
    import httpx

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/readyz", timeout=2).status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.2)
    return False
