"""An evidence file proves itself by its own script, and the change of any byte is found and named."""

import hashlib
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ledger.checkpoints import checkpoint_of, load_key
from gateway.ledger.documents import keep_document
from gateway.ledger.errors import DocumentMissingError, NothingToProveError
from gateway.ledger.evidence import Happening, Story, make_evidence
from gateway.ledger.evidence_verifier import EvidenceError, verify
from gateway.ledger.retention import delete_purged_bytes, record_purge
from gateway.ledger.service import append

SUBJECT = "invoice:F-1/732829320/2026"
STORY = Story(
    subject=SUBJECT,
    title="Dossier de preuve de la facture F-1",
    facts=(("Vendeur", "Comptoir <des> Matériaux"), ("Total TTC", "120,00 €")),
    happenings=(Happening("2026-10-05 10:00:00", "200 Déposée", "PA #1 *x* $y$", "motif & détail"),),
    data={"number": "F-1"},
    language="fr",
)
YEARS_LATER = datetime(2037, 1, 2, tzinfo=UTC)
#: One evidence file is changed in many ways: the database behind it need not be new each time.
many_changes = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def make(database, organisation, documents, clock, tmp_path):
    """Write a small history of two invoices, then make the evidence of the first."""

    def history() -> None:
        for number, data in enumerate((b"<facture/>", b"<cdar>205</cdar>", b"<cdar>212</cdar>")):
            for subject in (SUBJECT, "invoice:F-2/732829320/2026"):
                with database.transaction(organisation) as session:
                    own = data if subject == SUBJECT else b"other" + data
                    sha256 = keep_document(session, documents, own, "application/xml", clock())
                    content = {"n": number, "nom": 'É\n"x"', "secret": subject}
                    append(
                        session,
                        at=clock(),
                        kind="lifecycle.event",
                        subject=subject,
                        content=content,
                        documents=[sha256],
                    )

    def evidence(subject: str = SUBJECT) -> bytes:
        with database.transaction(organisation) as session:
            checkpoint = checkpoint_of(session, load_key(tmp_path), now=clock())
            return make_evidence(session, documents, story=STORY, subjects=[subject], checkpoint=checkpoint)

    history()
    return evidence


@pytest.fixture
def zipped(make) -> bytes:
    return make()


@pytest.fixture
def files(zipped) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(zipped)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path: Path, files: dict[str, bytes], *, listed_anew: bool = False) -> str:
    """A zip of these files; `listed_anew`: with a manifest that fits them, as a forger would make."""
    if listed_anew:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "manifest.json"
        }
        files = {**files, "manifest.json": json.dumps(manifest).encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(path)


def proven(name: str) -> bool:
    """The files that the chain itself proves; the others are proved by the manifest only."""
    return name == "entries.json" or name.startswith("documents/")


def changed(data: bytes, place: int, by: int) -> bytes:
    return data[:place] + bytes([data[place] ^ by]) + data[place + 1 :]


def run_script(folder: Path) -> subprocess.CompletedProcess[str]:
    """`verify.py evidence.zip` in a folder, without site packages (-I -S), hence without the gateway."""
    command = [sys.executable, "-I", "-S", "verify.py", "evidence.zip"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_script_of_the_zip_proves_it_without_the_gateway(make, tmp_path):
    (tmp_path / "evidence.zip").write_bytes(make())
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        archive.extract("verify.py", tmp_path)
    done = run_script(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{SUBJECT}: 3 entries, 3 documents, 0 purged; all holds")


def test_the_script_fails_and_says_why(files, tmp_path):
    del files["timeline.html"]
    (tmp_path / "verify.py").write_bytes(files["verify.py"])
    written(tmp_path / "evidence.zip", files)
    done = run_script(tmp_path)
    assert done.returncode == 1
    assert done.stderr == "DOES NOT HOLD: timeline.html is missing\n"


def test_the_zip_holds_the_documents_the_story_and_nothing_of_other_invoices(files):
    documents = {data for name, data in files.items() if name.startswith("documents/")}
    assert documents == {b"<facture/>", b"<cdar>205</cdar>", b"<cdar>212</cdar>"}
    assert not any(b"F-2" in data or b"other<" in data for data in files.values())
    assert b"Comptoir &lt;des&gt; Mat" in files["timeline.html"]
    assert json.loads(files["timeline.json"]) == {"number": "F-1"}


def test_the_readable_page_is_a_pdf_a_with_the_story(files):
    page = pypdf.PdfReader(BytesIO(files["timeline.pdf"]))
    said = page.pages[0].extract_text()
    for each in ("Dossier de preuve de la facture F-1", "200 Déposée", "PA #1 *x* $y$", "motif & détail"):
        assert each in said
    assert page.xmp_metadata is not None
    assert b"<pdfaid:part>3</pdfaid:part>" in page.xmp_metadata.stream.get_data()


def test_the_same_ledger_gives_the_same_bytes(make):
    assert make() == make()


@many_changes
@given(data=st.data())
def test_any_changed_byte_of_any_file_is_found(files, tmp_path, data):
    name = data.draw(st.sampled_from(sorted(set(files) - {"manifest.json"})))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    bad = {**files, name: changed(files[name], place, data.draw(st.integers(1, 255)))}
    with pytest.raises(EvidenceError, match=f"{name} was changed"):
        verify(written(tmp_path / "bad.zip", bad))


@many_changes
@given(data=st.data())
def test_any_changed_byte_of_a_document_or_an_entry_is_found_even_with_a_new_manifest(files, tmp_path, data):
    name = data.draw(st.sampled_from([name for name in sorted(files) if proven(name)]))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    bad = {**files, name: changed(files[name], place, data.draw(st.integers(1, 255)))}
    with pytest.raises(EvidenceError):
        verify(written(tmp_path / "bad.zip", bad, listed_anew=True))


@many_changes
@given(data=st.data())
def test_a_changed_byte_of_the_zip_gives_a_verdict_and_never_another_content(zipped, tmp_path, data):
    place = data.draw(st.integers(0, len(zipped) - 1))
    path = tmp_path / "bad.zip"
    path.write_bytes(changed(zipped, place, data.draw(st.integers(1, 255))))
    try:
        said = verify(str(path))
    except EvidenceError:
        return
    assert "3 entries, 3 documents" in said  # a byte that no reader of the zip looks at, such as a date


def test_a_document_taken_out_of_zip_and_manifest_is_missed(files, tmp_path):
    name = next(name for name in files if name.startswith("documents/"))
    del files[name]
    with pytest.raises(EvidenceError, match="missing, and no entry says that it was purged"):
        verify(written(tmp_path / "bad.zip", files, listed_anew=True))


def test_a_document_slipped_in_is_found(files, tmp_path):
    data = b"<forged/>"
    files[f"documents/{hashlib.sha256(data).hexdigest()}.xml"] = data
    with pytest.raises(EvidenceError, match="named by no entry"):
        verify(written(tmp_path / "bad.zip", files, listed_anew=True))


def test_a_checkpoint_received_otherwise_must_be_the_one_of_the_zip(files, tmp_path):
    path = written(tmp_path / "good.zip", files)
    trusted = tmp_path / "trusted.json"
    trusted.write_bytes(files["checkpoint.json"])
    verify(path, str(trusted))
    trusted.write_text(json.dumps(json.loads(files["checkpoint.json"]) | {"root": "a" * 64}))
    with pytest.raises(EvidenceError, match="not the one given"):
        verify(path, str(trusted))


def test_a_purged_document_is_proved_by_the_entry_of_its_purge(make, database, organisation, documents, tmp_path):
    with database.transaction(organisation) as session:
        record_purge(session, now=YEARS_LATER)
    delete_purged_bytes(database, documents, unless_kept_since=datetime(2999, 1, 1, tzinfo=UTC))
    (tmp_path / "evidence.zip").write_bytes(make())
    assert "6 entries, 0 documents, 3 purged; all holds" in verify(str(tmp_path / "evidence.zip"))


def test_no_evidence_is_made_of_a_document_that_is_missing(make, tmp_path):
    for each in (tmp_path / "documents").rglob("*"):
        if each.is_file():
            each.unlink()
    with pytest.raises(DocumentMissingError):
        make()


def test_no_evidence_is_made_of_what_the_ledger_does_not_know(make):
    with pytest.raises(NothingToProveError):
        make("invoice:F-9/732829320/2026")
