"""How a platform speaks the standard, as data: `schemas/platforms.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import PositiveFloat, TypeAdapter, ValidationError

from gateway.flows.platforms.errors import UnknownPlatformKindError
from gateway.kernel.dated import Table, data_file, in_force, lay_over, merged, own_file, shipped_file, text_of
from gateway.kernel.errors import OwnDataError
from gateway.kernel.text import Text

#: The platform that departs from the standard in nothing.
STANDARD = "standard"
_FILE = "platforms.toml"
#: Keys of an entry that are no part of a profile.
_BESIDE = {"fr", "en", "source", "valid_from", "valid_until", "breaker"}


@dataclass(frozen=True, slots=True)
class PlatformProfile:
    """One platform's way of speaking XP Z12-013; the entries are explained in `schemas/platforms.toml`."""

    label: Text
    token_auth: Literal["basic", "body", "json"]
    scope: str
    audience: str
    paging: Literal["cursor", "updated_after"]
    page_limit: int
    tracking_id_search: bool
    listed_directions: list[str]
    visible_within_seconds: float
    original: str
    max_file_bytes: int
    statuses: Mapping[str, list[str]]
    flow_url: str | None = None
    directory_url: str | None = None
    token_url: str | None = None

    @property
    def visible_within(self) -> timedelta:
        """How long after its submission a flow may be missing from a search."""
        return timedelta(seconds=self.visible_within_seconds)

    def takes_status(self, code: str, processing_rule: str | None) -> bool:
        """Whether it takes a lifecycle status (MDT-105) on an invoice under that processing rule."""
        allowed = self.statuses.get(processing_rule or "")
        return allowed is None or code in allowed


_PROFILE = TypeAdapter(PlatformProfile)
_BREAKER = TypeAdapter(dict[str, PositiveFloat])


def use_platforms_file(path: Path | None) -> None:
    """Lay the installation's own platforms over those of `schemas/platforms.toml`; None: as shipped.

    A platform that is known takes the keys that are given; another one is added. Raises OwnDataError.
    """
    lay_over(_FILE, None)
    if path is None:
        return
    own = own_file(path)
    if set(own) != {"platform"} or not isinstance(own["platform"], dict):
        raise OwnDataError(path, Text("il y faut des tables [platform.NOM]", "it wants tables [platform.NAME]"))
    data = merged(shipped_file(_FILE), own)
    for kind in own["platform"]:
        entry = data["platform"][kind]
        for version in entry if isinstance(entry, list) else [entry]:
            _check(path, kind, version, data)
    lay_over(_FILE, data)


def _check(path: Path, kind: str, entry: Table, data: Table) -> None:
    """Refuse an entry that makes no profile. Raises OwnDataError naming the platform and the key."""
    where = f"platform.{kind}"
    if not isinstance(entry, dict):
        raise OwnDataError(path, Text("ce n’est pas une table", "it is no table"), where)
    unknown = set(entry) - {field.name for field in fields(PlatformProfile)} - _BESIDE
    unknown |= {f"breaker.{key}" for key in set(entry.get("breaker", ())) - set(data["breaker"])}
    if unknown:
        key = min(unknown)
        raise OwnDataError(path, Text(f"« {key} » n’est pas une clé connue", f"“{key}” is not a known key"), where)
    try:
        _BREAKER.validate_python(entry.get("breaker", {}))
        _PROFILE.validate_python(_values(entry, data["standard"]))
    except KeyError as error:
        raise OwnDataError(path, Text(f"il manque la clé {error}", f"the key {error} is missing"), where) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise OwnDataError(path, Text(f"{key} : {first['msg']}", f"{key}: {first['msg']}"), where) from error


def platform_kinds() -> list[str]:
    """The platforms that are known, in the order of the file."""
    return list(data_file(_FILE)["platform"])


def platform_profile(kind: str, on: date | None = None) -> PlatformProfile:
    """The profile of a platform on a day, or its newest. Raises UnknownPlatformKindError."""
    data = data_file(_FILE)
    entry = in_force(data["platform"].get(kind), on)
    if entry is None:
        raise UnknownPlatformKindError(kind, platform_kinds())
    return PlatformProfile(**_values(entry, data["standard"]))


def _values(entry: Table, standard: Table) -> dict[str, Any]:
    known = {field.name for field in fields(PlatformProfile)}
    told = {name: value for name, value in {**standard, **entry}.items() if name in known}
    return {"label": text_of(entry), **told}
