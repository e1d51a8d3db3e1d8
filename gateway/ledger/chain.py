"""The hash chain, pure: what an entry's hash is made of."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

#: Hash before the first entry of every chain.
GENESIS = "0" * 64

#: JSON with sorted keys, no spaces, every character as itself. Made once: it is run for every entry of a proof.
canonical_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def entry_hash(
    *,
    organisation_id: str,
    position: int,
    at: datetime,
    kind: str,
    subject: str,
    content: dict[str, Any],
    documents: Sequence[str],
    previous_hash: str,
) -> str:
    """Hash of an entry over all that it states, its instant in UTC with microseconds."""
    return canonical_hash(
        {
            "organisation": organisation_id,
            "position": position,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "kind": kind,
            "subject": subject,
            "content": content,
            "documents": list(documents),
            "previous": previous_hash,
        }
    )


def canonical_hash(stated: dict[str, Any]) -> str:
    """sha256 (hexadecimal) of the canonical form: JSON, keys sorted, no spaces, UTF-8."""
    return hashlib.sha256(canonical_json(stated).encode()).hexdigest()
