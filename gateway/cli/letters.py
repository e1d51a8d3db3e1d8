"""`gateway letters head|texts|preview`: what is written to customers, under which letterhead, and how it looks."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from gateway.access.scope import Scope
from gateway.cli.working import OPERATOR, OrganisationOption, read_table, working
from gateway.collection.holds import Reason
from gateway.collection.messages.errors import InvalidLetterheadError, InvalidTextsError
from gateway.collection.messages.keeping import letterhead_in_force, store_letterhead, store_texts, texts_in_force
from gateway.collection.messages.texts import default_texts
from gateway.collection.reminder_rows import reminder_by_id
from gateway.kernel.text import Text, printable

letters_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Ce qui est écrit aux clients. / What is written to customers."
)
_EVERYTHING = Scope.everything()
_WITHDRAWN = Text("Rien ne partirait : {reason}", "Nothing would leave: {reason}")
FileOption = Annotated[
    Path | None, typer.Option("--from", exists=True, dir_okay=False, help="TOML ou JSON à enregistrer. / To be stored.")
]


@letters_app.command("head")
def head_command(
    file: FileOption = None,
    logo: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="PNG ou JPEG.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Montrer le papier à en-tête, ou en enregistrer un autre. / Show the letterhead, or store another one."""
    content = read_table(file, InvalidLetterheadError) if file else None
    if content is not None and logo is not None:
        content["logo"] = b64encode(logo.read_bytes()).decode()
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        if content is None:
            shown = letterhead_in_force(session)
        else:
            shown = store_letterhead(session, _EVERYTHING, content, by=OPERATOR, now=work.services.clock())
        _print(shown.model_dump(mode="json", exclude_defaults=True))


@letters_app.command("texts")
def texts_command(
    file: FileOption = None,
    comment: Annotated[str, typer.Option(help="Pourquoi ce changement. / Why.")] = "",
    default: Annotated[bool, typer.Option("--default", help="Ceux d’origine. / The original ones.")] = False,
    organisation: OrganisationOption = None,
) -> None:
    """Montrer les textes en vigueur, ou en enregistrer d’autres. / Show the texts in force, or store others."""
    content = read_table(file, InvalidTextsError) if file else None
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now = work.services.clock()
        if content is not None:
            book = store_texts(session, _EVERYTHING, content, comment=printable(comment), by=OPERATOR, now=now)
        else:
            book = default_texts() if default else texts_in_force(session, now)
        _print(book.model_dump(mode="json", by_alias=True, exclude_defaults=True))


@letters_app.command("preview")
def preview_command(
    reminder: Annotated[UUID, typer.Argument(metavar="RELANCE", help="Identifiant (gateway reminders list).")],
    to: Annotated[Path | None, typer.Option(help="Dossier où l’écrire, pièces comprises. / Where to write.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Montrer une relance telle qu’elle partirait, sans rien enregistrer. / Show a reminder as it would leave."""
    with working(organisation) as work:
        services = work.services
        with services.database.transaction(work.organisation_id) as session:
            row = reminder_by_id(session, _EVERYTHING, reminder)
            composed = services.previews.of_reminder(session, _EVERYTHING, row)
        if isinstance(composed, Reason):
            reason = composed.text.in_language(work.language)
            typer.echo(_WITHDRAWN.in_language(work.language).format(reason=reason), err=True)
            raise typer.Exit(1)
        typer.echo(f"{composed.subject}\n\n{composed.text}")
        if to is not None:
            to.mkdir(parents=True, exist_ok=True)
            if composed.html:
                (to / "message.html").write_text(composed.html, encoding="utf-8")
            for each in composed.papers:
                (to / each.name).write_bytes(each.content)
                typer.echo(str(to / each.name))


def _print(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
