"""`gateway serve`, `worker`, `clock`, `health`, `settings`: the service and what operators ask of it."""

from typing import Annotated

import typer

from gateway.kernel.configuration import PREFIX
from gateway.kernel.settings import Settings, load_settings


def serve_command(
    host: Annotated[str | None, typer.Option(help="Adresse d’écoute. / Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port TCP. / TCP port.")] = None,
    only_api: Annotated[
        bool, typer.Option("--only-api", help="Sans ouvrier ni horloge. / Without worker and clock.")
    ] = False,
) -> None:
    """Lance le service : API et pages, ouvrier et horloge en un seul processus.

    Run the service: API and pages, worker and clock in one process.
    """
    from gateway.app.running import run_service
    from gateway.app.service import create_app

    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    services = _services(**given)
    run_service(services, create_app(services), worker=not only_api, clock=not only_api)


def worker_command() -> None:
    """Lance un ouvrier, qui exécute les tâches ; autant que voulu, sur autant de machines.

    Run a worker, which does the jobs; as many as wanted, on as many machines.
    """
    from gateway.app.running import run_service

    run_service(_services(), None, worker=True, clock=False)


def clock_command() -> None:
    """Lance l’horloge, qui réveille les tâches périodiques ; deux à la fois ne gênent pas.

    Run the clock, which wakes the periodic jobs; two at once do no harm.
    """
    from gateway.app.running import run_service

    run_service(_services(), None, worker=False, clock=True)


def health_command(
    database: Annotated[bool, typer.Option("--database", help="La base seulement. / The database only.")] = False,
) -> None:
    """Dit si le service (ou la base) répond : code de sortie 0 ou 1.

    Say whether the service (or the database) answers: exit code 0 or 1.
    """
    settings = load_settings()
    healthy = _database_answers(settings) if database else _service_answers(settings)
    typer.echo("ok" if healthy else "ko")
    raise typer.Exit(0 if healthy else 1)


def settings_command() -> None:
    """Liste les réglages : variable, valeur par défaut, sens.

    List the settings: variable, default, meaning.
    """
    typer.echo(settings_table())


def settings_table() -> str:
    """The reference of the settings, in Markdown; `docs/reference/settings.md` holds it."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = ", ".join(default) if isinstance(default, tuple) else "" if default is None else str(default)
        lines.append(f"| `{PREFIX}{name.upper()}` | `{shown or '(none)'}` | {field.description} |")
    return "\n".join(lines)


def _services(**overrides: object):  # type: ignore[no-untyped-def]
    from gateway.app.logs import configure_logs
    from gateway.app.services import build_services

    settings = load_settings(**overrides)
    configure_logs(settings)
    return build_services(settings)


def _database_answers(settings: Settings) -> bool:
    from gateway.database.engine import Database
    from gateway.database.opening import database_url

    return Database(database_url(settings), pool_size=1).is_ready()


def _service_answers(settings: Settings) -> bool:
    import httpx

    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host
    try:
        return httpx.get(f"http://{host}:{settings.port}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
