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
from typing import Any, cast

import typst
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import text
from sqlmodel import Session, col, select

from gateway.kernel.clock import require_aware
from gateway.kernel.text import Language
from gateway.ledger.chain import canonical_json
from gateway.ledger.checkpoints import Checkpoint
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import NothingToProveError
from gateway.ledger.merkle import inclusion_paths, leaf_hash
from gateway.ledger.model import Document, LedgerEntry
from gateway.ledger.retention import purge_subject, purged_among

_HERE = Path(__file__).parent
_PAGE = 10_000
_HASHES = text("SELECT hash FROM ledger_entry WHERE position <= :position ORDER BY position").execution_options(
    stream_results=True, yield_per=_PAGE
)
_ENDINGS = {"application/pdf": ".pdf", "application/xml": ".xml"}
#: Every file of a zip bears this date, so that the same evidence is the same bytes.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_README = """\
DOSSIER DE PREUVE / EVIDENCE FILE

{subject}

timeline.pdf, timeline.html   l'histoire, pour la lecture / the story, for reading
timeline.json                 la même, pour les programmes / the same, for programs
documents/                    les fichiers d'origine / the original files
entries.json                  les entrées du registre et leur preuve / the entries of the ledger with their proof
checkpoint.json               la position et la racine de la chaîne / position and root of the chain
verify.py                     la vérification, sans la passerelle / the check, without the gateway

    python verify.py EVIDENCE.zip [--checkpoint FILE]
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
    session: Session, store: DocumentStore, *, story: Story, subjects: Sequence[str], checkpoint: Checkpoint
) -> bytes:
    """The zip about `subjects` (that of the story first), proved against a checkpoint of the session's organisation.

    Entries after the checkpoint are left out. The same ledger, story and checkpoint give the same bytes. Raises
    NothingToProveError, DocumentMissingError, DocumentDamagedError.
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
    files = {
        "README.txt": _README.format(subject=story.title).encode(),
        "verify.py": (_HERE / "evidence_verifier.py").read_bytes(),
        "checkpoint.json": checkpoint.model_dump_json().encode(),
        "entries.json": canonical_json(list(_proved(session, entries, checkpoint))).encode(),
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
    return _zipped({"manifest.json": json.dumps(manifest, ensure_ascii=False, indent=1).encode(), **files})


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


def _proved(session: Session, entries: Sequence[LedgerEntry], checkpoint: Checkpoint) -> Iterator[dict[str, Any]]:
    """The entries with the hashes that lead from each to the checkpoint's root."""
    with session.connection().execute(_HASHES, {"position": checkpoint.position}) as hashes:
        leaves = [leaf_hash(row[0]) for row in hashes]
    paths = inclusion_paths(leaves, (entry.position - 1 for entry in entries))
    for entry in entries:
        yield {
            "position": entry.position,
            "at": require_aware(entry.at).isoformat(timespec="microseconds"),
            "kind": entry.kind,
            "subject": entry.subject,
            "content": entry.content,
            "documents": entry.documents,
            "previous": entry.previous_hash,
            "hash": entry.hash,
            "path": paths[entry.position - 1],
        }


def _html(story: Story, checkpoint: Checkpoint, entries: int) -> str:
    environment = Environment(
        loader=PackageLoader("gateway.ledger"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("timeline.html").render(story=story, checkpoint=checkpoint, entries=entries)


def _pdf(story: Story, checkpoint: Checkpoint, entries: int) -> bytes:
    """PDF/A-3b, made with typst's own fonts only, so that every machine makes the same."""
    told = {key: value for key, value in asdict(story).items() if key != "data"}
    page = typst.Compiler(font_paths=typst.Fonts(include_system_fonts=False)).compile(
        input=(_HERE / "templates" / "timeline.typ").read_bytes(),
        format="pdf",
        sys_inputs={
            "story": json.dumps(
                {**told, "entries": entries, "position": checkpoint.position, "root": checkpoint.root},
                ensure_ascii=False,
            )
        },
        pdf_standards="a-3b",
        pdf_tags=False,
        timestamp=checkpoint.at.replace(microsecond=0),
    )
    return cast(bytes, page)


def _zipped(files: dict[str, bytes]) -> bytes:
    output = BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
    return output.getvalue()
