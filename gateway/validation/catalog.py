"""Which official artefact judges which document: `schemas/catalog.toml`, checked against what is installed."""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from gateway.kernel.text import Text
from gateway.validation.errors import ArtefactChangedError, ArtefactMissingError, UnusableCatalogError

ANY_PROFILE = "*"
_SHA256 = re.compile("[0-9a-f]{64}")


class ArtefactKind(StrEnum):
    """The language in which an artefact is written, hence the engine that runs it."""

    XSD = "xsd"
    SCHEMATRON = "schematron"
    OWN = "own"


@dataclass(frozen=True)
class LayerEntry:
    """One layer of a verdict: its name in reports, its name for people, the syntaxes it has something to say about."""

    name: str
    title: Text
    syntaxes: tuple[str, ...]


@dataclass(frozen=True)
class UnusedEntry:
    """Files (`path`, a glob) which a package ships and the gateway does not use, and why."""

    package: str
    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """One official rule file with the files it needs; `schemas/catalog.toml` describes the fields.

    Attributes:
        package: the installed package that ships it; empty for a file of the user's own.
        folder: where a file of the user's own lies: that of the catalogue which names it.
    """

    id: str
    layer: str
    kind: ArtefactKind
    title: str
    version: str
    valid_from: date | None = None
    valid_to: date | None = None
    dated_by: str
    syntaxes: tuple[str, ...]
    profiles: tuple[str, ...]
    root: str | None = None
    package: str = ""
    folder: Path | None = None
    path: str
    sha256: str
    parts: tuple[str, ...] = ()
    parts_sha256: str | None = None

    #: For Pydantic, which reads the artefacts of a user's own file: a misspelt field is refused.
    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if bool(self.parts) != bool(self.parts_sha256):
            raise ValueError(f"{self.id}: parts and parts_sha256 go together")
        for checksum in (self.sha256, self.parts_sha256):
            if checksum is not None and not _SHA256.fullmatch(checksum):
                raise ValueError(f"{self.id}: {checksum} is no SHA-256 in lower case")
        if (self.valid_from or date.min) > (self.valid_to or date.max):
            raise ValueError(f"{self.id}: valid_to is before valid_from")

    @property
    def home(self) -> Path:
        """The folder in which `path` and `parts` lie."""
        return self.folder or _package_folder(self.package)

    @cached_property
    def file(self) -> Path:
        """Where the installed artefact lies. Raises ArtefactMissingError."""
        place = self.home / self.path
        if not place.is_file():
            raise ArtefactMissingError(self.id, str(place))
        return place

    def part_files(self) -> list[Path]:
        """The further files this artefact needs, sorted by their path inside the package."""
        folder = self.home
        found = {place for pattern in self.parts for place in folder.glob(pattern)}
        return sorted(found - {folder / self.path})

    def fits(self, syntax: str, root: str) -> bool:
        """True for documents of that syntax whose root element has that local name."""
        return syntax in self.syntaxes and self.root in (None, root)

    def is_in_force(self, on: date | None) -> bool:
        """True on that legal date; always true without a date."""
        return on is None or (self.valid_from or date.min) <= on <= (self.valid_to or date.max)

    def verify(self) -> None:
        """Compare the installed files with the checksums. Raises ArtefactMissingError, ArtefactChangedError."""
        actual = _sha256(self.file)
        if actual != self.sha256:
            raise ArtefactChangedError(self.id, str(self.file), self.sha256, actual)
        if self.parts_sha256:
            folder = self.home
            listing = "".join(
                f"{_sha256(place)}  {place.relative_to(folder).as_posix()}\n" for place in self.part_files()
            )
            actual = hashlib.sha256(listing.encode()).hexdigest()
            if actual != self.parts_sha256:
                raise ArtefactChangedError(self.id, ", ".join(self.parts), self.parts_sha256, actual)


@dataclass(frozen=True)
class Catalog:
    """All layers, in the order in which they run, and all artefacts."""

    layers: tuple[LayerEntry, ...]
    artefacts: tuple[Artefact, ...]
    unused: tuple[UnusedEntry, ...] = ()

    def __post_init__(self) -> None:
        names = self.names()
        if len(names) != len(set(names)):
            raise ValueError("a layer or an artefact is named twice")
        layers = {layer.name: layer for layer in self.layers}
        for artefact in self.artefacts:
            if artefact.layer not in layers:
                raise ValueError(f"{artefact.id}: there is no layer {artefact.layer}, only {', '.join(sorted(layers))}")
            possible = layers[artefact.layer].syntaxes
            for syntax in artefact.syntaxes:
                if syntax not in possible:
                    raise ValueError(
                        f"{artefact.id}: layer {artefact.layer} judges no {syntax}, only {', '.join(possible)}"
                    )

    def names(self) -> list[str]:
        """Every name a rule selection may hold: layers, then artefacts."""
        return [layer.name for layer in self.layers] + [artefact.id for artefact in self.artefacts]

    def layer(self, name: str) -> LayerEntry:
        """The layer of that name. Raises KeyError."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    @cached_property
    def _by_layer(self) -> dict[str, tuple[Artefact, ...]]:
        names = [layer.name for layer in self.layers]
        return {name: tuple(artefact for artefact in self.artefacts if artefact.layer == name) for name in names}

    @cached_property
    def _by_layer_and_syntax(self) -> dict[tuple[str, str], list[Artefact]]:
        found: dict[tuple[str, str], list[Artefact]] = {}
        for artefact in self.artefacts:
            for syntax in artefact.syntaxes:
                found.setdefault((artefact.layer, syntax), []).append(artefact)
        return found

    def of_layer(self, layer: str) -> tuple[Artefact, ...]:
        """The artefacts of that layer; none when the engine has no rules for it."""
        return self._by_layer.get(layer, ())

    def candidates(self, layer: str, syntax: str, profile: str, root: str) -> list[Artefact]:
        """The artefacts for such a document, whatever the date: those that name its profile, else those for any."""
        written = self._by_layer_and_syntax.get((layer, syntax), ())
        fitting = [artefact for artefact in written if artefact.fits(syntax, root)]
        exact = [artefact for artefact in fitting if profile in artefact.profiles]
        return exact or [artefact for artefact in fitting if ANY_PROFILE in artefact.profiles]

    def verify(self) -> None:
        """Compare everything installed with the catalogue. Raises ArtefactMissingError, ArtefactChangedError."""
        for artefact in self.artefacts:
            artefact.verify()

    def uncatalogued(self) -> Iterator[str]:
        """Rule files (.xsd, .xsl, .xslt) of the packages in use that the catalogue neither uses nor sets aside."""
        known = {place for entry in self.unused for place in _package_folder(entry.package).glob(entry.path)}
        for artefact in self.artefacts:
            known |= {artefact.file, *artefact.part_files()}
        for package in sorted({artefact.package for artefact in self.artefacts} - {""}):
            folder = _package_folder(package)
            for place in sorted(folder.rglob("*.xs*")):
                if place not in known and place.suffix in {".xsd", ".xsl", ".xslt"}:
                    yield f"{package}/{place.relative_to(folder).as_posix()}"


def newest_in_force(artefacts: list[Artefact], on: date | None) -> Artefact | None:
    """The artefact that counts on that legal date: the one that came into force last; None when none is in force."""
    in_force = [artefact for artefact in artefacts if artefact.is_in_force(on)]
    return max(in_force, key=lambda artefact: artefact.valid_from or date.min, default=None)


@cache
def installed_catalog() -> Catalog:
    """The project's own catalogue."""
    content = tomllib.loads((files("schemas") / "catalog.toml").read_text(encoding="utf-8"))
    return Catalog(
        layers=tuple(LayerEntry(**_frozen(entry) | {"title": Text(**entry["title"])}) for entry in content["layer"]),
        artefacts=tuple(
            Artefact(**_frozen(entry) | {"kind": ArtefactKind(entry["kind"])}) for entry in content["artefact"]
        ),
        unused=tuple(UnusedEntry(**entry) for entry in content["unused"]),
    )


@cache
def load_catalog(user_file: Path | None = None) -> Catalog:
    """The shipped catalogue with the artefacts of the user's own file (setting `catalog_file`) laid over it.

    An artefact of the same id replaces the shipped one. Raises UnusableCatalogError; ArtefactMissingError and
    ArtefactChangedError when a file that the user's catalogue names is not there or not the one of its checksum.
    """
    shipped = installed_catalog()
    if user_file is None:
        return shipped
    added = _artefacts_of(user_file)
    for artefact in added:
        artefact.verify()
    replaced = {artefact.id for artefact in added}
    kept = (artefact for artefact in shipped.artefacts if artefact.id not in replaced)
    try:
        return replace(shipped, artefacts=(*kept, *added))
    except ValueError as error:
        raise UnusableCatalogError(str(user_file), str(error)) from error


@dataclass(frozen=True)
class _UserCatalog:
    artefact: tuple[Artefact, ...]

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}


def _artefacts_of(user_file: Path) -> list[Artefact]:
    # Needed only for a file that people write: the shipped one is proved by tests, and nobody waits for that.
    from pydantic import TypeAdapter, ValidationError

    try:
        content = tomllib.loads(user_file.read_text(encoding="utf-8"))
        listed = TypeAdapter(_UserCatalog).validate_python(content).artefact
    except ValidationError as error:
        why = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise UnusableCatalogError(str(user_file), why) from error
    except (OSError, ValueError) as error:
        raise UnusableCatalogError(str(user_file), " ".join(str(error).split())) from error
    for artefact in listed:
        if artefact.kind is ArtefactKind.OWN:
            raise UnusableCatalogError(str(user_file), f"{artefact.id}: checks of kind own come with the gateway")
    home = user_file.resolve().parent
    return [artefact if artefact.package else replace(artefact, folder=home) for artefact in listed]


@cache
def _package_folder(package: str) -> Path:
    # A folder of data without `__init__.py` is a package too; importlib.resources gives no path for it.
    specification = find_spec(package)
    if specification is None or not specification.submodule_search_locations:
        raise ArtefactMissingError(package, package)
    return Path(next(iter(specification.submodule_search_locations)))


def _sha256(place: Path) -> str:
    return hashlib.sha256(place.read_bytes()).hexdigest()


def _frozen(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
