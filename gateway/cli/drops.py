"""`gateway drops`: the folders that billing systems drop files in."""

from collections.abc import Iterator

import typer

from gateway.access.repository import organisations
from gateway.app.logs import configure_logs
from gateway.app.services import build_services
from gateway.flows.drops.errors import DropOfNobodyError, DropUnavailableError
from gateway.flows.drops.places import open_place
from gateway.flows.drops.round import DropRound, visit_drops
from gateway.kernel.settings import DropSettings, load_settings
from gateway.kernel.text import Language, Text

drops_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Dossiers où les logiciels de facturation déposent des fichiers. / Folders that files are dropped in.",
)
_NONE = Text("Aucun dépôt : voyez le réglage GATEWAY_DROPS.", "There is no drop: see the setting GATEWAY_DROPS.")
_WAITING = Text("{name} : joignable, {count} fichier(s) en attente", "{name}: reachable, {count} file(s) waiting")
_VISITED = Text(
    "{name} : {taken} fichier(s) pris, {refused} refusé(s), {forbidden} illisible(s) ; "
    "{acks} accusé(s) et {statuses} statut(s) déposés",
    "{name}: {taken} file(s) taken, {refused} refused, {forbidden} unreadable; "
    "{acks} acknowledgement(s) and {statuses} status(es) written",
)


@drops_app.command("check")
def check_command() -> None:
    """Dit si chaque dépôt est joignable et combien de fichiers y attendent ; code 1 si l’un ne l’est pas.

    Say whether each drop can be reached and how many files wait there; exit code 1 when one cannot.
    """
    settings = load_settings()
    if not settings.drops:
        typer.echo(_NONE.in_language(settings.language))
    reached = [_check(drop, settings.language) for drop in settings.drops]
    raise typer.Exit(0 if all(reached) else 1)


@drops_app.command("visit")
def visit_command() -> None:
    """Fait un tour de chaque dépôt maintenant : prend les fichiers, dépose accusés et statuts.

    Make a round of every drop now: take the files, write acknowledgements and statuses.
    """
    settings = load_settings()
    configure_logs(settings.model_copy(update={"log_level": "error", "log_format": "console"}))
    services = build_services(settings)
    try:
        known = {row.siren: row.id for row in organisations(services.database)}
        for drop in settings.drops:
            if drop.organisation not in known:
                raise DropOfNobodyError(drop.name, drop.organisation)
        rounds = [done for organisation_id in known.values() for done in visit_drops(services.flows, organisation_id)]
    finally:
        services.close()
    for line in _lines(rounds, settings.language):
        typer.echo(line)
    raise typer.Exit(1 if any(done.problem for done in rounds) else 0)


def _check(drop: DropSettings, language: Language) -> bool:
    try:
        with open_place(drop) as place:
            count = len(place.waiting())
    except DropUnavailableError as error:
        typer.echo(f"{error.code}: {error.in_language(language)}", err=True)
        return False
    typer.echo(_WAITING.format(name=drop.name, count=count).in_language(language))
    return True


def _lines(rounds: list[DropRound], language: Language) -> Iterator[str]:
    if not rounds:
        yield _NONE.in_language(language)
    for done in rounds:
        if done.problem is not None:
            yield f"{done.problem.code}: {done.problem.in_language(language)}"
        else:
            yield _VISITED.format(
                name=done.drop.name,
                taken=done.files.taken,
                refused=done.files.refused,
                forbidden=done.files.forbidden,
                acks=done.acknowledgements,
                statuses=done.statuses,
            ).in_language(language)
