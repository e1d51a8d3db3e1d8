"""Checks an evidence file of an invoice without the gateway that made it: Python 3.9 or later.

    python verify.py EVIDENCE.zip [--key PUBLIC.pem] [--checkpoint FILE]

Signatures need the package `cryptography` as well (pip install cryptography); all else needs nothing. It proves, and
says what fails:

1. every file is there, byte for byte, as manifest.json lists it, and no other;
2. every entry of entries.json has the hash of its content: sha256 over JSON with sorted keys and no spaces, in UTF-8,
   of organisation, position, at, kind, subject, content, documents and previous (the hash of the entry before);
3. every entry is at its position of the one chain whose Merkle root (RFC 6962) checkpoint.json states, and entries that
   follow each other name each other;
4. every document that an entry names is in documents/ with that sha256, or an entry says when and why it was purged;
5. the chain of consistency.json, an earlier checkpoint, is the beginning of that of checkpoint.json;
6. signature.json is the Ed25519 signature of manifest.json, and checkpoint.json bears one over its other fields (JSON
   as in 2), both by one key: that of --key or one that keys.json leads to, each change being signed by both keys.

Without --key a signature only says which key made it: compare it with the one that you were given. Whoever has the
key could have made another chain: give --checkpoint a checkpoint received earlier or from someone else, and the zip
must state the same one or go on from it. The files timeline.* are made for reading; steps 1 and 6 cover them.

Exit code 0: all holds; 1: something does not; 2: bad usage; 3: all else holds, but the signatures were not checked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from typing import Any

UNLISTED = ("manifest.json", "signature.json")
ENTRY_FIELDS = {"position", "at", "kind", "subject", "content", "documents", "previous", "hash", "path"}
STATED = ("format", "organisation", "position", "hash", "root")


class EvidenceError(Exception):
    """Something that does not hold, in words."""


class NotCheckedError(Exception):
    """All else holds, but the signatures were not checked; why, and what holds."""


def verify(path: str, checkpoint: str | None = None, key: str | None = None) -> str:
    """Check an evidence file, its checkpoint against a trusted one, its signatures against a trusted key; a summary.

    Raises EvidenceError, NotCheckedError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise EvidenceError("a file is in the zip twice")
            files = {name: archive.read(name) for name in names}
        listed, signature = (files.pop(name) for name in UNLISTED)
        manifest = json.loads(listed)
        check_files(manifest["files"], files)
        stated = json.loads(files["checkpoint.json"])
        entries = json.loads(files["entries.json"])
        check_entries(entries, stated)
        purged = check_documents(entries, files)
        earlier = json.loads(files.get("consistency.json", b"null"))
        if earlier is not None:
            check_consistency(earlier, stated)
        if checkpoint is not None:
            check_trusted(stated, earlier, checkpoint)
        documents = sum(1 for name in files if name.startswith("documents/"))
        summary = (
            f"{manifest['subject']}: {len(entries)} entries, {documents} documents, {purged} purged; all holds "
            f"against root {stated['root']} at position {stated['position']}"
        )
        try:
            signed = check_signatures(listed, json.loads(signature), stated, json.loads(files["keys.json"]), key)
        except ImportError as error:
            raise NotCheckedError(f"the signatures, since the package cryptography is not there. {summary}") from error
    except (EvidenceError, NotCheckedError):
        raise
    except (OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile, NotImplementedError) as error:
        raise EvidenceError(f"the file cannot be read as evidence: {error!r}") from error
    except Exception as error:  # zlib.error and the like: damaged compressed bytes
        raise EvidenceError(f"the file is damaged: {error!r}") from error
    return f"{summary}; {signed}"


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


def check_consistency(earlier: dict[str, Any], stated: dict[str, Any]) -> None:
    """Step 5: each complete subtree of the earlier tree is one of the later tree, at the same place."""
    size, first = earlier["position"], 0
    heights = [height for height in reversed(range(size.bit_length())) if size >> height & 1]
    if not len(heights) == len(earlier["peaks"]) == len(earlier["paths"]):
        raise EvidenceError("the earlier checkpoint does not have the peaks of its size")
    whole = b""
    for peak in map(hexadecimal, reversed(earlier["peaks"])):
        whole = hashlib.sha256(b"\x01" + peak + whole).digest() if whole else peak
    if (whole or hashlib.sha256().digest()).hex() != earlier["root"]:
        raise EvidenceError("the earlier checkpoint does not have the root of its peaks")
    for number, height in enumerate(heights):
        peak, path = hexadecimal(earlier["peaks"][number]), earlier["paths"][number]
        if root_of_path(peak, first >> height, (stated["position"] - 1) >> height, path) != stated["root"]:
            raise EvidenceError("the chain does not go on from the earlier checkpoint")
        first += 1 << height


def check_trusted(stated: dict[str, Any], earlier: dict[str, Any] | None, path: str) -> None:
    """The trusted file holds one JSON object a line: one must be the zip's checkpoint or the one it goes on from."""
    with open(path, encoding="utf-8") as file:
        trusted = [json.loads(line) for line in file if line.strip()]
    known = [{field: stated[field] for field in STATED}]
    if earlier is not None:
        known.append({field: {**stated, **earlier}[field] for field in ("organisation", "position", "root")})
    if any(all(each[field] == value for field, value in one.items()) for each in trusted for one in known):
        return
    raise EvidenceError("the checkpoint in the zip is not the one given, nor does it go on from it")


def check_signatures(
    listed: bytes, signature: dict[str, str], stated: dict[str, Any], changes: list[dict[str, str]], path: str | None
) -> str:
    """Step 6; which key signed. Raises ImportError without the package cryptography."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    for each in (signature, stated):
        if each["algorithm"] != "Ed25519":
            raise EvidenceError(f"the algorithm {each['algorithm']} is unknown")
    if not is_signed(listed, signature["signature"], signature["key"]):
        raise EvidenceError("the manifest is not signed by the key that signature.json names")
    if stated["key"] != signature["key"]:
        raise EvidenceError("the manifest and the checkpoint are signed by two keys")
    if not is_signed(canonical(stated, "signature"), stated["signature"], stated["key"]):
        raise EvidenceError("the checkpoint is not signed by the key that it names")
    for change in changes:
        what = canonical(change, "signed_by_old", "signed_by_new")
        if not all(is_signed(what, change["signed_by_" + side], change[side]) for side in ("old", "new")):
            raise EvidenceError("a change of key is not signed by both keys")
    if path is None:
        return f"signed by key {signature['key']}: compare it with the one that you were given, or give it with --key"
    try:
        with open(path, "rb") as file:
            given = load_pem_public_key(file.read()).public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path} is no Ed25519 public key in PEM: {error}") from error
    trusted = linked(given, changes, "old", "new") | linked(given, changes, "new", "old")
    if signature["key"] not in trusted:
        raise EvidenceError("it is signed by another key than the one given")
    return (
        f"signed by the key given, {given}" if signature["key"] == given else "signed by a key linked to the given one"
    )


def linked(start: str, changes: list[dict[str, str]], side: str, other: str) -> set[str]:
    """A key and all that the changes lead to from it, in one direction."""
    found, waiting = {start}, [start]
    while waiting:
        key = waiting.pop()
        fresh = {change[other] for change in changes if change[side] == key} - found
        found |= fresh
        waiting += fresh
    return found


def is_signed(data: bytes, signature: str, key: str) -> bool:
    """Whether an Ed25519 signature is that of the data under a public key, both in hexadecimal."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), data)
    except InvalidSignature:
        return False
    return True


def canonical(stated: dict[str, Any], *without: str) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8, but for some fields."""
    kept = {key: value for key, value in stated.items() if key not in without}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def entry_hash(entry: dict[str, Any], organisation: str) -> str:
    """Hash of what an entry states."""
    return hashlib.sha256(canonical({**entry, "organisation": organisation}, "hash", "path")).hexdigest()


def merkle_root(entry: dict[str, Any], size: int) -> str | None:
    """The root that an entry's path leads to in a tree of `size` leaves; None for a path of the wrong length."""
    leaf = hashlib.sha256(b"\x00" + hexadecimal(entry["hash"])).digest()
    return root_of_path(leaf, entry["position"] - 1, size - 1, entry["path"])


def root_of_path(node: bytes, index: int, last: int, path: list[str]) -> str | None:
    """The root above the node at `index` of a level whose last index is `last`."""
    for beside in map(hexadecimal, path):
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
    parser.add_argument("--key", help="the public key (PEM) of the gateway that made it, received from its operator")
    parser.add_argument("--checkpoint", help="a checkpoint received earlier or from someone else")
    options = parser.parse_args()
    try:
        print(verify(options.evidence, options.checkpoint, options.key))
    except EvidenceError as error:
        print(f"DOES NOT HOLD: {error}", file=sys.stderr)
        return 1
    except NotCheckedError as error:
        print(f"NOT CHECKED: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
