"""Evidence files: all that the ledger knows about one subject, in a zip that proves itself without the gateway.

`evidence_verifier.py`, put into every zip as verify.py, says what a zip holds and how it is checked.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlmodel import Session, col, select

from gateway.kernel.text import Language
from gateway.kernel.typesetting import typeset
from gateway.ledger.chain import canonical_json
from gateway.ledger.checkpoints import Checkpoint
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import NothingToProveError
from gateway.ledger.evidence_proof import prove
from gateway.ledger.key_changes import key_changes
from gateway.ledger.model import Document, LedgerEntry
from gateway.ledger.retention import purge_subject, purged_among
from gateway.ledger.service import Progress
from gateway.ledger.signing import SigningKey

_HERE = Path(__file__).parent
_ENDINGS = {"application/pdf": ".pdf", "application/xml": ".xml"}
#: Every file of a zip bears this date, so that the same evidence is the same bytes.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_README = """\
DOSSIER DE PREUVE / EVIDENCE FILE

{subject}

timeline.pdf, timeline.html   l’histoire, pour la lecture / the story, for reading
timeline.json                 la même, pour les programmes / the same, for programs
documents/                    les fichiers d’origine / the original files
entries.json                  les entrées du registre et leur preuve / the entries of the ledger with their proof
checkpoint.json               la position et la racine de la chaîne / position and root of the chain
consistency.json              la preuve depuis un point de contrôle antérieur / the proof from an earlier checkpoint
keys.json                     les changements de clé de signature / the changes of the signing key
manifest.json, signature.json la liste signée de ces fichiers / the signed list of these files
verify.py                     la vérification, sans la passerelle / the check, without the gateway

    python verify.py EVIDENCE.zip [--key PUBLIC.pem] [--checkpoint FILE]
"""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the story as people read it: when (Paris), what, who said it, and details."""

    when: str
    what: str
    who: str
    details: str


@dataclass(frozen=True, slots=True)
class Story:
    """What an evidence file tells to people.

    Attributes:
        subject: what it is about, such as `invoice:F1/732829320/2026`; `title`: the same in words.
        facts: label and value, ready to print.
        happenings: oldest first.
        data: the same as JSON values, for programs.
    """

    subject: str
    title: str
    facts: tuple[tuple[str, str], ...]
    happenings: tuple[Happening, ...]
    data: dict[str, Any]
    language: Language


def make_evidence(
    session: Session,
    store: DocumentStore,
    *,
    story: Story,
    subjects: Sequence[str],
    checkpoint: Checkpoint,
    key: SigningKey,
    since: Checkpoint | None = None,
    progress: Progress | None = None,
) -> bytes:
    """The zip about `subjects` (that of the story first), proved against a checkpoint of the session's organisation.

    Entries after the checkpoint are left out. `since`: an earlier checkpoint; the zip then proves that the chain goes
    on from it, so that whoever has it needs no other. The same ledger, story, key and checkpoints give the same bytes.
    Raises NothingToProveError, ChainBrokenError, DocumentMissingError, DocumentDamagedError.
    """
    entries = _entries_about(session, subjects, checkpoint.position)
    if not entries:
        raise NothingToProveError(story.subject)
    wanted = sorted({sha256 for entry in entries for sha256 in entry.documents})
    documents = dict(_documents(session, store, wanted))
    there = {name.split(".")[0] for name in documents}
    gone = [purge_subject(sha256) for sha256 in wanted if sha256 not in there]
    if gone:
        about = {entry.position: entry for entry in [*entries, *_entries_about(session, gone, checkpoint.position)]}
        entries = [about[position] for position in sorted(about)]
    proof = prove(session, entries, checkpoint, since, progress)
    files = {
        "README.txt": _README.format(subject=story.title).encode(),
        "verify.py": (_HERE / "evidence_verifier.py").read_bytes(),
        "checkpoint.json": checkpoint.model_dump_json().encode(),
        "entries.json": canonical_json(proof.entries).encode(),
        **({"consistency.json": canonical_json(proof.consistency).encode()} if proof.consistency else {}),
        "keys.json": canonical_json([change.model_dump(mode="json") for change in key_changes(session)]).encode(),
        "timeline.json": json.dumps(story.data, ensure_ascii=False, indent=1).encode(),
        "timeline.html": _html(story, checkpoint, len(entries)).encode(),
        "timeline.pdf": _pdf(story, checkpoint, len(entries)),
        **{f"documents/{name}": data for name, data in documents.items()},
    }
    manifest = {
        "format": "gateway-evidence/1",
        "subject": story.subject,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    listed = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    signature = {"algorithm": "Ed25519", "key": key.public, "signature": key.sign(listed)}
    return _zipped({"manifest.json": listed, "signature.json": canonical_json(signature).encode(), **files})


def _entries_about(session: Session, subjects: Sequence[str], position: int) -> list[LedgerEntry]:
    return list(
        session.exec(
            select(LedgerEntry)
            .where(col(LedgerEntry.subject).in_(subjects), LedgerEntry.position <= position)
            .order_by(col(LedgerEntry.position))
        )
    )


def _documents(session: Session, store: DocumentStore, wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """File name and bytes of each document, but for those purged."""
    rows = session.exec(select(Document).where(col(Document.sha256).in_(wanted)))
    media_types = {row.sha256: row.media_type for row in rows}
    purged = purged_among(session, wanted)
    for sha256 in wanted:
        if sha256 in purged:
            continue
        yield sha256 + _ENDINGS.get(media_types.get(sha256, ""), ".bin"), store.get(sha256)


def _html(story: Story, checkpoint: Checkpoint, entries: int) -> str:
    environment = Environment(
        loader=PackageLoader("gateway.ledger"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("timeline.html").render(story=story, checkpoint=checkpoint, entries=entries)


def _pdf(story: Story, checkpoint: Checkpoint, entries: int) -> bytes:
    told = {key: value for key, value in asdict(story).items() if key != "data"}
    proved = {"entries": entries, "position": checkpoint.position, "root": checkpoint.root}
    return typeset(_HERE / "templates" / "timeline.typ", {**told, **proved}, at=checkpoint.at)


def _zipped(files: dict[str, bytes]) -> bytes:
    output = BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
    return output.getvalue()
