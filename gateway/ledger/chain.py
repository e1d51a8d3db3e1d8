"""The hash chain, pure: what an entry's hash is made of."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

#: Hash before the first entry of every chain.
GENESIS = "0" * 64


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
    """sha256 (hexadecimal) of the canonical form: JSON, keys sorted, no spaces, UTF-8, instants in UTC microseconds."""
    canonical = json.dumps(
        {
            "organisation": organisation_id,
            "position": position,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "kind": kind,
            "subject": subject,
            "content": content,
            "documents": list(documents),
            "previous": previous_hash,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(canonical.encode()).hexdigest()
