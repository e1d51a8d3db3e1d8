"""The commands of the ledger, on invoices that went out and came back with statuses."""

import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner

from gateway.cli import ledger as commands
from gateway.cli import ledger_retention, ledger_room
from gateway.ledger.errors import CheckpointInvalidError, CheckpointUnreadableError, LegalHoldError
from gateway.ledger.evidence_verifier import verify
from gateway.ledger.service import append
from gateway.lifecycle.errors import InvoiceNotFoundError
from tests.web.story import Site, played, site

__all__ = ["played", "site"]


class Ledger:
    """`gateway ledger …` on a copy of the story."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(commands.ledger_app, [str(each) for each in arguments])

    def said(self, *arguments: object) -> str:
        result = self.run(*arguments)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    def tamper(self, statement: str) -> None:
        with self.site.services.database.system_transaction() as session:
            session.connection().execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER append_only"))
            session.connection().execute(text(statement))


@pytest.fixture
def ledger(site: Site, monkeypatch, tmp_path) -> Ledger:
    settings = site.services.settings
    mine = settings.model_copy(update={"ledger_key_file": tmp_path / "keys" / "ledger.key"})
    monkeypatch.setattr(ledger_room, "load_settings", lambda: mine)
    monkeypatch.setattr(ledger_room, "open_database", lambda _: site.services.database)
    monkeypatch.chdir(tmp_path)
    return Ledger(site)


def test_verify_proves_every_chain_and_every_document(ledger):
    lines = ledger.said("verify", "--documents").splitlines()
    assert sum("la chaîne tient / it holds" in line for line in lines) == 2
    assert sum("0 purgés / purged, 0 manquants ou altérés" in line for line in lines) == 2


def test_verify_tells_of_a_clock_that_went_back_and_does_not_fail(ledger):
    assert "datées d’avant" not in ledger.said("verify")
    with ledger.site.services.database.transaction(ledger.site.story.house) as session:
        earlier = ledger.site.clock() - timedelta(days=400)
        append(session, at=earlier, kind="x", subject="s", content={})
    told = ledger.said("verify")
    assert "  1 datées d’avant une précédente / dated before an earlier one" in told
    assert f"{earlier:%Y-%m-%d %H:%M} après" in told


def test_verify_names_the_broken_link_and_fails(ledger):
    ledger.tamper("UPDATE ledger_entry SET kind = 'x' WHERE position = 3")
    result = ledger.run("verify")
    assert result.exit_code == 1
    assert result.output.count("chaîne rompue à l’entrée / chain broken at entry 3") == 2


def test_verify_compares_every_status_with_the_entry_that_recorded_it(ledger):
    said = ledger.said("verify", "--events")
    assert said.count("0 différents / different") == 2
    with ledger.site.services.database.system_transaction() as session:
        session.connection().execute(text("ALTER TABLE lifecycle_event DISABLE TRIGGER append_only"))
        session.connection().execute(text("UPDATE lifecycle_event SET status = '210' WHERE status = '212'"))
    assert ledger.run("verify").exit_code == 0, "the chain says nothing of the events"
    result = ledger.run("verify", "--events")
    assert result.exit_code == 1
    assert "status vaut « 210 », enregistré « 212 »" in result.output


def test_verify_names_a_document_that_is_missing_and_fails(ledger):
    documents = ledger.site.services.settings.data_dir / "documents"
    lost = min(each for each in documents.rglob("*") if each.is_file())
    kept = lost.read_bytes()
    lost.unlink()
    try:
        result = ledger.run("verify", "--documents")
    finally:
        lost.write_bytes(kept)  # the copies of the story share their documents
    assert result.exit_code == 1
    assert lost.name in result.output


def test_the_next_proof_starts_from_a_checkpoint(ledger, tmp_path):
    ledger.said("checkpoint", "--output", tmp_path / "monday.json")
    assert ledger.said("verify", "--since", tmp_path / "monday.json").count(": 0 entrées depuis / since ") == 2
    first, again = (
        (tmp_path / "monday.json").read_text(),
        ledger.said("checkpoint", "--since", tmp_path / "monday.json"),
    )
    roots = [[json.loads(line)["root"] for line in each.splitlines()] for each in (first, again)]
    assert roots[0] == roots[1]


def test_a_forged_checkpoint_starts_no_proof(ledger, tmp_path):
    lines = [json.loads(line) for line in ledger.said("checkpoint").splitlines()]
    (tmp_path / "forged.json").write_text("\n".join(json.dumps(each | {"position": 1}) for each in lines))
    assert isinstance(ledger.run("verify", "--since", tmp_path / "forged.json").exception, CheckpointInvalidError)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert isinstance(ledger.run("verify", "--since", tmp_path / "binary").exception, CheckpointUnreadableError)


def test_the_evidence_of_an_invoice_holds_its_documents_and_messages_and_proves_itself(ledger, tmp_path):
    ledger.said("export", ledger.site.story.numbers["paid"], "--output", tmp_path / "evidence.zip")
    assert "all holds" in verify(str(tmp_path / "evidence.zip"))
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        timeline = json.loads(archive.read("timeline.json"))
        documents = {name.split("/")[1].split(".")[0] for name in archive.namelist() if name.startswith("documents/")}
        kinds = {entry["kind"] for entry in json.loads(archive.read("entries.json"))}
        page = archive.read("timeline.html").decode()
    assert len(timeline["entries"]) > 3
    assert {timeline["document_sha256"], *(each["document_sha256"] for each in timeline["entries"])} == documents
    assert {"flow.received", "invoice.registered", "lifecycle.event", "delivery.acknowledged"} <= kinds
    assert "212 Encaissée" in page


def test_the_evidence_of_a_refused_invoice_holds_its_alert(ledger, tmp_path):
    ledger.said("export", ledger.site.story.numbers["refused"], "--output", tmp_path / "evidence.zip")
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        kinds = {entry["kind"] for entry in json.loads(archive.read("entries.json"))}
    assert any(kind.startswith("alert.") for kind in kinds), kinds
    assert any(kind.startswith("action.") for kind in kinds), kinds


def test_without_a_name_the_file_is_called_after_the_invoice(ledger, tmp_path):
    number = ledger.site.story.numbers["paid"]
    assert ledger.said("export", number).strip() == f"preuve-{number}.zip"
    assert (tmp_path / f"preuve-{number}.zip").is_file()


def test_an_unknown_invoice_is_said_to_be_unknown(ledger):
    assert isinstance(ledger.run("export", "NO-SUCH").exception, InvoiceNotFoundError)


def test_a_purge_spares_what_is_held_and_says_what_it_did(ledger, monkeypatch):
    monkeypatch.setattr(ledger_retention, "system_clock", lambda: datetime(2037, 1, 2, tzinfo=UTC))
    deleted: list[object] = []  # the copies of the story share their documents: none goes
    monkeypatch.setattr(ledger_retention, "delete_purged_bytes", lambda *_, **__: deleted.append(1))
    number = ledger.site.story.numbers["paid"]
    ledger.said("hold", number, "--reason", "litige")
    assert isinstance(ledger.run("hold", number, "--reason", "litige").exception, LegalHoldError)
    dry = ledger.said("purge", "--dry-run")
    assert "à purger / to purge" in dry
    assert ", gelé / held" in dry
    assert not deleted
    done = ledger.said("purge")
    assert deleted
    assert done == dry.replace("à purger / to purge", "purgés / purged")
    ledger.said("release", number, "--reason", "clos")
    rest = [line for line in ledger.said("purge", "--dry-run").splitlines() if line.startswith("  ")]
    assert len(rest) == dry.count(", gelé / held")
    assert ledger.said("purge", "--dry-run", "--before", "2020-01-01").count(": 0 à purger") == 2


def test_a_change_of_key_leaves_former_checkpoints_valid_and_evidence_checked_by_either_key(ledger, tmp_path):
    (tmp_path / "old.pem").write_text(ledger.said("key"))
    assert (tmp_path / "keys" / "ledger.key").is_file()
    ledger.said("checkpoint", "--output", tmp_path / "monday.json")
    (tmp_path / "new.pem").write_text(ledger.said("key", "--change"))
    assert (tmp_path / "old.pem").read_text() != (tmp_path / "new.pem").read_text() == ledger.said("key")
    assert ledger.said("verify", "--since", tmp_path / "monday.json").count(": 1 entrées depuis / since ") == 2
    number = ledger.site.story.numbers["paid"]
    ledger.said("export", number, "--since", tmp_path / "monday.json", "--output", tmp_path / "evidence.zip")
    for key in ("old.pem", "new.pem"):
        said = verify(str(tmp_path / "evidence.zip"), str(tmp_path / "monday.json"), str(tmp_path / key))
        assert "all holds" in said


def test_documents_are_copied_to_another_store_and_verified_there(ledger, tmp_path, monkeypatch, s3):
    settings = ledger_room.load_settings()
    url = f"s3://{s3.bucket()}/house"
    bucket = settings.model_copy(
        update={
            "documents_endpoint": s3.endpoint,
            "documents_access_key": "key",
            "documents_secret_key": SecretStr("secret"),
        }
    )
    monkeypatch.setattr(ledger_room, "load_settings", lambda: bucket)
    said = ledger.said("documents", "copy", "--to", url)
    assert f"-> {url}" in said
    assert "0 manquants ou altérés / missing or changed" in said
    assert ledger.said("documents", "copy", "--to", url) == said
    there = bucket.model_copy(update={"documents_url": url, "data_dir": tmp_path / "nothing here"})
    monkeypatch.setattr(ledger_room, "load_settings", lambda: there)
    lines = ledger.said("verify", "--documents").splitlines()
    assert sum("0 manquants ou altérés" in line for line in lines) == 2
    ledger.said("export", ledger.site.story.numbers["paid"], "--output", tmp_path / "evidence.zip")
    assert "all holds" in verify(str(tmp_path / "evidence.zip"))


def test_a_copy_names_what_is_missing_and_fails(ledger, tmp_path):
    documents = ledger.site.services.settings.data_dir / "documents"
    lost = min(each for each in documents.rglob("*") if each.is_file())
    kept = lost.read_bytes()
    lost.write_bytes(b"other")
    try:
        result = ledger.run("documents", "copy", "--to", f"file://{tmp_path}/copy")
    finally:
        lost.write_bytes(kept)  # the copies of the story share their documents
    assert result.exit_code == 1
    assert f"  {lost.name}" in result.output
    assert not list((tmp_path / "copy").rglob(lost.name))
