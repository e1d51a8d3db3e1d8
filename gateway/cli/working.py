"""What commands that work on one organisation share: services, the organisation chosen, the form of the output."""

import json
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import BaseModel

from gateway.app.logs import configure_logs
from gateway.app.services import Services, build_services
from gateway.cli.ingest import chosen_organisation
from gateway.kernel.errors import GatewayError
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language, printable

#: Who acts through a command.
OPERATOR = "operator"


class OutputFormat(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


OrganisationOption = Annotated[
    str | None,
    typer.Option("--organisation", metavar="SIREN", help="L’organisation, si la base en tient plusieurs."),
]
FormatOption = Annotated[OutputFormat, typer.Option("--format", help="Forme du résultat. / Form of the result.")]


@dataclass(frozen=True, slots=True)
class Working:
    """The services, for the organisation chosen, in the language of the settings."""

    services: Services
    organisation_id: UUID

    @property
    def language(self) -> Language:
        """The language in which results are told."""
        return self.services.settings.language


@contextmanager
def working(organisation: str | None) -> Iterator[Working]:
    """Open the services, choose the organisation, close at the end. Raises UnknownOrganisationError."""
    settings = load_settings()
    configure_logs(settings.model_copy(update={"log_level": "warning", "log_format": "console"}))
    services = build_services(settings)
    try:
        yield Working(services, chosen_organisation(services.database, organisation))
    finally:
        services.close()


def print_json(found: list[BaseModel] | BaseModel) -> None:
    """A result as JSON, one document."""
    content = (
        [each.model_dump(mode="json") for each in found] if isinstance(found, list) else found.model_dump(mode="json")
    )
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


def read_table(file: Path, refused: Callable[[list[tuple[str, str]]], GatewayError]) -> dict[str, Any]:
    """The table of a TOML file, or of a JSON one by its ending. Raises what `refused` makes of place and fault."""
    try:
        text = file.read_text(encoding="utf-8")
        content: Any = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:  # not UTF-8, not JSON, not TOML
        raise refused([(printable(file.name), str(error))]) from error
    if not isinstance(content, dict):
        raise refused([(printable(file.name), "a table is expected")])
    return content
