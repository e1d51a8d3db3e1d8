"""`gateway explain`: what a rule wants, in plain words, with its official text."""

import json
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text as RichText

from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language, Text
from gateway.validation.catalog import load_catalog
from gateway.validation.explaining import Account, accounts_of

_WHO = Text("Qui corrige : ", "Who mends it: ")
_FIX = Text("À faire : ", "To do: ")
_WHY = Text("Pourquoi : ", "Why: ")
_TERMS = Text("Termes : ", "Terms: ")
_OFFICIAL = Text("Texte officiel", "Official text")


def explain_command(
    rule: Annotated[str, typer.Argument(help="Identifiant de règle, ou son début : BR-CO-15, BR-FR-05, GW-04.")],
    lang: Annotated[
        Language | None, typer.Option(help="Langue du texte ; par défaut celle des réglages, le français.")
    ] = None,
    output: Annotated[Literal["text", "json"], typer.Option("--format", help="Forme de la réponse.")] = "text",
) -> None:
    """Explique une règle : ce qu’elle demande, les termes, qui corrige et comment, et son texte officiel.

    Explain a rule: what it wants, its terms, who mends it and how, and its official text.
    """
    settings = load_settings()
    language: Language = lang or settings.language
    accounts = accounts_of(rule, load_catalog(settings.catalog_file))
    if output == "json":
        typer.echo(json.dumps([_as_json(account) for account in accounts], ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for account in accounts:
        console.print(_block(account, language))


def _block(account: Account, language: Language) -> RichText:
    block = RichText()
    block.append(f"{account.rule}\n", style="bold")
    block.append(f"  {account.wants.in_language(language)}\n")
    if account.terms:
        block.append(f"  {_TERMS.in_language(language)}{', '.join(account.terms)}\n")
    if account.why:
        block.append(f"  {_WHY.in_language(language)}{account.why.in_language(language)}\n")
    block.append(f"  {_WHO.in_language(language)}{account.who.label.in_language(language)}\n")
    block.append(f"  {_FIX.in_language(language)}{account.fix.in_language(language)}\n", style="italic")
    for official in account.official:
        artefact = official.artefact
        flag = f", {official.flag}" if official.flag else ""
        block.append(f"  {_OFFICIAL.in_language(language)} ({artefact.title} {artefact.version}{flag}) : ", style="dim")
        block.append(f"{official.message}\n", style="dim")
    return block


def _as_json(account: Account) -> dict[str, object]:
    return {
        "rule": account.rule,
        "wants": account.wants.fr,
        "wants_en": account.wants.en,
        "terms": account.terms,
        "who": account.who.value,
        "fix": account.fix.fr,
        "fix_en": account.fix.en,
        "official": [
            {
                "artefact": official.artefact.id,
                "version": official.artefact.version,
                "flag": official.flag,
                "context": official.context,
                "test": official.test,
                "message": official.message,
            }
            for official in account.official
        ],
    }
