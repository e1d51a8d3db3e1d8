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
from sqlalchemy import text

from gateway.ledger.checkpoints import Checkpoint, checkpoint_of
from gateway.ledger.documents import keep_document
from gateway.ledger.errors import ChainBrokenError, DocumentMissingError, NothingToProveError
from gateway.ledger.evidence import Happening, Story, make_evidence
from gateway.ledger.evidence_verifier import UNLISTED, EvidenceError, canonical, verify
from gateway.ledger.key_changes import change_key
from gateway.ledger.purging import delete_purged_bytes, record_purge
from gateway.ledger.retention import plan_purge
from gateway.ledger.service import append
from gateway.ledger.signing import KEY_FILE, SigningKey, load_key

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


class Maker:
    """A small history of two invoices, and the evidence of the first."""

    def __init__(self, database, organisation, documents, clock, key_file: Path) -> None:
        self.database, self.organisation, self.documents, self.clock = database, organisation, documents, clock
        self.key_file = key_file
        for number, data in enumerate((b"<facture/>", b"<cdar>205</cdar>", b"<cdar>212</cdar>")):
            self.happen(SUBJECT, number, data)
            self.happen("invoice:F-2/732829320/2026", number, b"other" + data)

    @property
    def key(self) -> SigningKey:
        return load_key(self.key_file)

    def happen(self, subject: str, number: int, data: bytes) -> None:
        with self.database.transaction(self.organisation) as session:
            sha256 = keep_document(session, self.documents, data, "application/xml", self.clock())
            content = {"n": number, "nom": 'É\n"x"', "secret": subject}
            append(
                session,
                at=self.clock(),
                kind="lifecycle.event",
                subject=subject,
                content=content,
                documents=[sha256],
            )

    def checkpoint(self, since: Checkpoint | None = None) -> Checkpoint:
        with self.database.transaction(self.organisation) as session:
            return checkpoint_of(session, self.key, now=self.clock(), since=since)

    def __call__(
        self, subject: str = SUBJECT, *, since: Checkpoint | None = None, at: Checkpoint | None = None
    ) -> bytes:
        checkpoint = at or self.checkpoint(since)
        with self.database.transaction(self.organisation) as session:
            return make_evidence(
                session,
                self.documents,
                story=STORY,
                subjects=[subject],
                checkpoint=checkpoint,
                key=self.key,
                since=since,
            )

    def tamper(self, statement: str) -> None:
        with self.database.system_transaction() as session:
            session.connection().execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER append_only"))
            session.connection().execute(text(statement))


@pytest.fixture
def make(database, organisation, documents, clock, tmp_path) -> Maker:
    return Maker(database, organisation, documents, clock, tmp_path / KEY_FILE)


@pytest.fixture
def zipped(make) -> bytes:
    return make()


@pytest.fixture
def forger(new_key) -> SigningKey:
    """Somebody else's key."""
    return new_key()


@pytest.fixture
def files(zipped) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(zipped)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path: Path, files: dict[str, bytes], forger: SigningKey | None = None) -> str:
    """A zip of these files; `forger`: with a manifest that fits them, and signatures, by a key of their own."""
    if forger is not None:
        manifest = json.loads(files["manifest.json"])
        stated = json.loads(files["checkpoint.json"]) | {"key": forger.public}
        stated["signature"] = forger.sign(canonical(stated, "signature"))
        files = {**files, "checkpoint.json": json.dumps(stated).encode()}
        manifest["files"] = {
            name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name not in UNLISTED
        }
        listed = json.dumps(manifest).encode()
        signature = {"algorithm": "Ed25519", "key": forger.public, "signature": forger.sign(listed)}
        files = {**files, "manifest.json": listed, "signature.json": json.dumps(signature).encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(path)


def pem(path: Path, key: SigningKey) -> str:
    """A file with the public key, as an operator hands it out."""
    path.write_text(key.public_pem())
    return str(path)


def proven(name: str) -> bool:
    """The files that the chain itself proves; the others are proved by the manifest only."""
    return name == "entries.json" or name.startswith("documents/")


def changed(data: bytes, place: int, by: int) -> bytes:
    return data[:place] + bytes([data[place] ^ by]) + data[place + 1 :]


def run_script(folder: Path, *options: str, alone: bool = False) -> subprocess.CompletedProcess[str]:
    """`verify.py evidence.zip` in a folder; `alone`: without site packages (-I -S), hence without cryptography."""
    flags = ["-I", "-S"] if alone else ["-I"]
    command = [sys.executable, *flags, "verify.py", "evidence.zip", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def unpacked(zipped, tmp_path) -> Path:
    """A folder with the zip and the script out of it."""
    folder = tmp_path / "auditor"
    folder.mkdir()
    (folder / "evidence.zip").write_bytes(zipped)
    with zipfile.ZipFile(folder / "evidence.zip") as archive:
        archive.extract("verify.py", folder)
    return folder


def test_the_script_of_the_zip_proves_it_with_the_public_key_only(make, unpacked):
    pem(unpacked / "gateway.pem", make.key)
    done = run_script(unpacked, "--key", "gateway.pem")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{SUBJECT}: 3 entries, 3 documents, 0 purged; all holds")
    assert done.stdout.endswith(f"signed by the key given, {make.key.public}\n")
    assert "import gateway" not in (unpacked / "verify.py").read_text()


def test_without_the_means_to_check_signatures_the_script_says_so_and_does_not_pass(unpacked):
    done = run_script(unpacked, alone=True)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(
        f"NOT CHECKED: the signatures, since the package cryptography is not there. {SUBJECT}: 3 entries"
    )


def test_what_does_not_hold_is_said_even_without_the_means_to_check_signatures(files, unpacked):
    written(unpacked / "evidence.zip", {**files, "timeline.html": b"other"})
    done = run_script(unpacked, alone=True)
    assert (done.returncode, done.stderr) == (1, "DOES NOT HOLD: timeline.html was changed\n")


def test_without_a_key_given_the_script_names_the_one_that_signed(make, unpacked):
    done = run_script(unpacked)
    assert done.returncode == 0
    assert f"signed by key {make.key.public}: compare it" in done.stdout


def test_the_script_fails_and_says_why(files, unpacked):
    del files["timeline.html"]
    written(unpacked / "evidence.zip", files)
    done = run_script(unpacked)
    assert (done.returncode, done.stderr) == (1, "DOES NOT HOLD: timeline.html is missing\n")


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
    name = data.draw(st.sampled_from(sorted(set(files) - set(UNLISTED))))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    bad = {**files, name: changed(files[name], place, data.draw(st.integers(1, 255)))}
    with pytest.raises(EvidenceError, match=f"{name} was changed"):
        verify(written(tmp_path / "bad.zip", bad))


@many_changes
@given(data=st.data())
def test_any_changed_byte_of_a_document_or_an_entry_is_found_even_when_signed_anew(files, forger, tmp_path, data):
    name = data.draw(st.sampled_from([name for name in sorted(files) if proven(name)]))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    bad = {**files, name: changed(files[name], place, data.draw(st.integers(1, 255)))}
    with pytest.raises(EvidenceError):
        verify(written(tmp_path / "bad.zip", bad, forger))


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


def test_a_document_taken_out_of_zip_and_manifest_is_missed(files, forger, tmp_path):
    name = next(name for name in files if name.startswith("documents/"))
    del files[name]
    with pytest.raises(EvidenceError, match="missing, and no entry says that it was purged"):
        verify(written(tmp_path / "bad.zip", files, forger))


def test_a_document_slipped_in_is_found(files, forger, tmp_path):
    data = b"<forged/>"
    files[f"documents/{hashlib.sha256(data).hexdigest()}.xml"] = data
    with pytest.raises(EvidenceError, match="named by no entry"):
        verify(written(tmp_path / "bad.zip", files, forger))


def test_a_checkpoint_received_otherwise_must_be_the_one_of_the_zip(files, tmp_path):
    path = written(tmp_path / "good.zip", files)
    trusted = tmp_path / "trusted.json"
    trusted.write_bytes(files["checkpoint.json"])
    verify(path, str(trusted))
    for change in ({"root": "a" * 64}, {"organisation": "b"}, {"position": 5}, {"hash": "a" * 64}):
        trusted.write_text(json.dumps(json.loads(files["checkpoint.json"]) | change))
        with pytest.raises(EvidenceError, match="not the one given"):
            verify(path, str(trusted))


def test_evidence_signed_by_another_key_than_the_one_given_is_refused(make, files, forger, tmp_path):
    key = pem(tmp_path / "gateway.pem", make.key)
    assert "signed by the key given" in verify(written(tmp_path / "good.zip", files), key=key)
    with pytest.raises(EvidenceError, match="another key"):
        verify(written(tmp_path / "bad.zip", files, forger), key=key)


def test_a_file_that_is_no_public_key_is_said_to_be_none(files, tmp_path):
    path = written(tmp_path / "good.zip", files)
    for data in (b"no key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        (tmp_path / "key.pem").write_bytes(data)
        with pytest.raises(EvidenceError, match="no Ed25519 public key"):
            verify(path, key=str(tmp_path / "key.pem"))
    with pytest.raises(EvidenceError, match="no Ed25519 public key"):
        verify(path, key=str(tmp_path / "nowhere.pem"))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("signature.json", {"signature": "a" * 128}),
        ("signature.json", {"signature": "short"}),
        ("signature.json", {"algorithm": "none"}),
        ("signature.json", {"key": "a" * 64}),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(files, tmp_path, name, change):
    files[name] = json.dumps(json.loads(files[name]) | change).encode()
    with pytest.raises(EvidenceError):
        verify(written(tmp_path / "bad.zip", files))


def test_a_checkpoint_under_another_signature_is_refused_though_the_manifest_is_signed(make, files, forger, tmp_path):
    """Whoever has the signing key of the zip cannot pass off a checkpoint of another's as its own."""
    stated = json.loads(files["checkpoint.json"])
    with zipfile.ZipFile(written(tmp_path / "forged.zip", files, forger)) as archive:
        forged = {each: archive.read(each) for each in archive.namelist()}
    forged["checkpoint.json"] = json.dumps(stated).encode()
    manifest = json.loads(forged["manifest.json"])
    manifest["files"]["checkpoint.json"] = hashlib.sha256(forged["checkpoint.json"]).hexdigest()
    forged["manifest.json"] = json.dumps(manifest).encode()
    forged["signature.json"] = json.dumps(
        {"algorithm": "Ed25519", "key": forger.public, "signature": forger.sign(forged["manifest.json"])}
    ).encode()
    with pytest.raises(EvidenceError, match="two keys"):
        verify(written(tmp_path / "forged.zip", forged))


def test_after_a_change_of_key_the_old_public_key_still_checks_new_evidence_and_the_new_one_old_evidence(
    make, zipped, tmp_path
):
    old = make.key
    change_key(make.database, [make.organisation], make.key_file, now=make.clock())
    assert make.key.public != old.public
    keys = [pem(tmp_path / "old.pem", old), pem(tmp_path / "new.pem", make.key)]
    (tmp_path / "new.zip").write_bytes(make())
    for key in keys:
        assert "signed by" in verify(str(tmp_path / "new.zip"), key=key)
    (tmp_path / "old.zip").write_bytes(zipped)
    assert "signed by the key given" in verify(str(tmp_path / "old.zip"), key=keys[0])


def test_a_change_of_key_that_one_key_alone_signed_is_refused(make, tmp_path, forger):
    old = make.key
    change_key(make.database, [make.organisation], make.key_file, now=make.clock())
    with zipfile.ZipFile(BytesIO(make())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    (change,) = json.loads(files["keys.json"])
    alone = {**change, "new": forger.public}
    alone["signed_by_new"] = forger.sign(canonical(alone, "signed_by_old", "signed_by_new"))
    files["keys.json"] = json.dumps([alone]).encode()
    with pytest.raises(EvidenceError, match="both keys"):
        verify(written(tmp_path / "bad.zip", files, forger), key=pem(tmp_path / "old.pem", old))


def test_evidence_goes_on_from_a_checkpoint_that_an_auditor_holds(make, tmp_path):
    monday = make.checkpoint()
    make.happen(SUBJECT, 9, b"<cdar>212 bis</cdar>")
    make.happen("invoice:F-3/732829320/2026", 1, b"<autre/>")
    trusted = tmp_path / "monday.json"
    trusted.write_text(monday.model_dump_json() + "\n")
    (tmp_path / "evidence.zip").write_bytes(make(since=monday))
    assert "4 entries" in verify(str(tmp_path / "evidence.zip"), str(trusted))
    (tmp_path / "without.zip").write_bytes(make())
    with pytest.raises(EvidenceError, match="nor does it go on from it"):
        verify(str(tmp_path / "without.zip"), str(trusted))


@pytest.mark.parametrize("field", ["root", "peaks", "paths", "position"])
def test_a_changed_proof_from_an_earlier_checkpoint_is_refused(make, forger, tmp_path, field):
    monday = make.checkpoint()
    make.happen(SUBJECT, 9, b"<cdar>212 bis</cdar>")
    with zipfile.ZipFile(BytesIO(make(since=monday))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    proof = json.loads(files["consistency.json"])
    proof[field] = {"root": "a" * 64, "peaks": proof["peaks"][::-1], "paths": proof["paths"][::-1], "position": 5}[
        field
    ]
    files["consistency.json"] = json.dumps(proof).encode()
    with pytest.raises(EvidenceError, match="earlier checkpoint"):
        verify(written(tmp_path / "bad.zip", files, forger))


def test_evidence_can_be_proved_against_an_earlier_checkpoint_alone(make, tmp_path):
    monday = make.checkpoint()
    make.happen(SUBJECT, 9, b"<cdar>212 bis</cdar>")
    (tmp_path / "evidence.zip").write_bytes(make(at=monday))
    (tmp_path / "monday.json").write_text(monday.model_dump_json())
    assert "3 entries" in verify(str(tmp_path / "evidence.zip"), str(tmp_path / "monday.json"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET content = '{}' WHERE position = 1",
        "UPDATE ledger_entry SET hash = repeat('a', 64) WHERE position = 2",
        "DELETE FROM ledger_entry WHERE position = 2",
    ],
)
def test_no_evidence_is_made_of_a_chain_that_was_changed_since_its_checkpoint(make, statement):
    checkpoint = make.checkpoint()
    make.tamper(statement)
    with pytest.raises(ChainBrokenError):
        make(at=checkpoint)


def test_making_evidence_tells_how_far_it_has_read_the_chain(make):
    said: list[tuple[int, int]] = []
    checkpoint = make.checkpoint()
    with make.database.transaction(make.organisation) as session:
        make_evidence(
            session,
            make.documents,
            story=STORY,
            subjects=[SUBJECT],
            checkpoint=checkpoint,
            key=make.key,
            progress=lambda *each: said.append(each),
        )
    assert said == [(6, 6)]


def test_a_purged_document_is_proved_by_the_entry_of_its_purge(make, database, organisation, documents, tmp_path):
    with database.transaction(organisation) as session:
        plan = plan_purge(session, now=YEARS_LATER)
        list(record_purge(database, organisation, plan, now=YEARS_LATER))
    delete_purged_bytes(database, documents, now=YEARS_LATER)
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
