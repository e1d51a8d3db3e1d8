"""Checks an evidence file of an invoice without the gateway that made it: Python 3.9 or later, nothing else.

    python verify.py EVIDENCE.zip [--checkpoint FILE]

It proves, and says what fails:

1. every file is there, byte for byte, as manifest.json lists it, and no other;
2. every entry of entries.json has the hash of its content: sha256 over JSON with sorted keys and no spaces, in UTF-8,
   of organisation, position, at, kind, subject, content, documents and previous (the hash of the entry before);
3. every entry is at its position of the one chain whose Merkle root (RFC 6962) checkpoint.json states, and entries that
   follow each other name each other;
4. every document that an entry names is in documents/ with that sha256, or an entry says when and why it was purged.

The files timeline.* are made for reading and are covered by step 1 only. Whoever made the zip could have made another
chain: give --checkpoint a checkpoint received earlier or from someone else, and the zip must state the same one.
Exit code 0: all holds; 1: something does not; 2: bad usage.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from typing import Any

ENTRY_FIELDS = {"position", "at", "kind", "subject", "content", "documents", "previous", "hash", "path"}
STATED = ("format", "organisation", "position", "hash", "root")


class EvidenceError(Exception):
    """Something that does not hold, in words."""


def verify(path: str, checkpoint: str | None = None) -> str:
    """Check an evidence file, and its checkpoint against a trusted one; a summary. Raises EvidenceError."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name != "manifest.json"]
            if len(set(names)) != len(names):
                raise EvidenceError("a file is in the zip twice")
            manifest = json.loads(archive.read("manifest.json"))
            files = {name: archive.read(name) for name in names}
        check_files(manifest["files"], files)
        stated = json.loads(files["checkpoint.json"])
        entries = json.loads(files["entries.json"])
        check_entries(entries, stated)
        purged = check_documents(entries, files)
        if checkpoint is not None:
            check_trusted(stated, checkpoint)
    except EvidenceError:
        raise
    except (OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile, NotImplementedError) as error:
        raise EvidenceError(f"the file cannot be read as evidence: {error!r}") from error
    except Exception as error:  # zlib.error and the like: damaged compressed bytes
        raise EvidenceError(f"the file is damaged: {error!r}") from error
    documents = sum(1 for name in files if name.startswith("documents/"))
    return (
        f"{manifest['subject']}: {len(entries)} entries, {documents} documents, {purged} purged; all holds against "
        f"root {stated['root']} at position {stated['position']}"
    )


def check_files(listed: dict[str, str], files: dict[str, bytes]) -> None:
    """Step 1."""
    for name in sorted(set(listed) | set(files)):
        if name not in files:
            raise EvidenceError(f"{name} is missing")
        if name not in listed:
            raise EvidenceError(f"{name} is not in the manifest")
        if hashlib.sha256(files[name]).hexdigest() != listed[name]:
            raise EvidenceError(f"{name} was changed")


def check_entries(entries: list[dict[str, Any]], stated: dict[str, Any]) -> None:
    """Steps 2 and 3."""
    before: dict[str, Any] | None = None
    for entry in entries:
        if set(entry) != ENTRY_FIELDS:
            raise EvidenceError("an entry does not have the fields of an entry")
        place = f"entry {entry['position']}"
        if before is not None and entry["position"] <= before["position"]:
            raise EvidenceError(f"{place} is out of order")
        if before is not None and entry["position"] == before["position"] + 1 and entry["previous"] != before["hash"]:
            raise EvidenceError(f"{place} does not name the entry before it")
        if entry_hash(entry, stated["organisation"]) != entry["hash"]:
            raise EvidenceError(f"{place} was changed: its content does not have its hash")
        if merkle_root(entry, stated["position"]) != stated["root"]:
            raise EvidenceError(f"{place} is not in the chain of the checkpoint")
        if entry["position"] == stated["position"] and entry["hash"] != stated["hash"]:
            raise EvidenceError(f"{place} is not the one that the checkpoint names")
        before = entry
    if before is None:
        raise EvidenceError("there is no entry")


def check_documents(entries: list[dict[str, Any]], files: dict[str, bytes]) -> int:
    """Step 4; how many documents were purged."""
    kept = {
        name.split("/", 1)[1].split(".", 1)[0]: data for name, data in files.items() if name.startswith("documents/")
    }
    purges = {entry["subject"] for entry in entries if entry["kind"] == "document.purged"}
    wanted = {sha256 for entry in entries for sha256 in entry["documents"]}
    for sha256 in sorted(wanted | set(kept)):
        if sha256 in kept:
            if sha256 not in wanted:
                raise EvidenceError(f"document {sha256} is named by no entry")
            if hashlib.sha256(kept[sha256]).hexdigest() != sha256:
                raise EvidenceError(f"document {sha256} was changed")
        elif f"document:{sha256}" not in purges:
            raise EvidenceError(f"document {sha256} is missing, and no entry says that it was purged")
    return len(wanted - set(kept))


def check_trusted(stated: dict[str, Any], path: str) -> None:
    """The zip's checkpoint must be one of the trusted file, which holds one JSON object a line."""
    with open(path, encoding="utf-8") as file:
        trusted = [json.loads(line) for line in file if line.strip()]
    if not any(all(each[field] == stated[field] for field in STATED) for each in trusted):
        raise EvidenceError("the checkpoint in the zip is not the one given")


def entry_hash(entry: dict[str, Any], organisation: str) -> str:
    """Hash of what an entry states."""
    stated = {key: value for key, value in entry.items() if key not in ("hash", "path")}
    stated["organisation"] = organisation
    canonical = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def merkle_root(entry: dict[str, Any], size: int) -> str | None:
    """The root that an entry's path leads to in a tree of `size` leaves; None for a path of the wrong length."""
    index, last = entry["position"] - 1, size - 1
    node = hashlib.sha256(b"\x00" + hexadecimal(entry["hash"])).digest()
    for beside in map(hexadecimal, entry["path"]):
        if last == 0:
            return None
        if index % 2 or index == last:
            node = hashlib.sha256(b"\x01" + beside + node).digest()
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + beside).digest()
        index, last = index >> 1, last >> 1
    return node.hex() if last == 0 else None


def hexadecimal(written: str) -> bytes:
    """The 32 bytes of a sha256 as it must be written: 64 lower-case digits."""
    data = bytes.fromhex(written)
    if data.hex() != written or len(data) != hashlib.sha256().digest_size:
        raise EvidenceError(f"{written!r} is no sha256")
    return data


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Check an evidence file of an invoice.")
    parser.add_argument("evidence", help="the zip file")
    parser.add_argument("--checkpoint", help="a checkpoint received earlier or from someone else")
    options = parser.parse_args()
    try:
        print(verify(options.evidence, options.checkpoint))
    except EvidenceError as error:
        print(f"DOES NOT HOLD: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
