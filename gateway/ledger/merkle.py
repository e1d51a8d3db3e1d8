"""The Merkle tree over a chain's hashes, pure: it proves one entry without showing the others (RFC 6962, section 2.1).

The leaves are the hashes of the entries in order of position. A proof is the short list of hashes by which anyone who
has one entry computes the root that a checkpoint states.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

#: Root of the tree without leaves.
EMPTY_ROOT = hashlib.sha256(b"").hexdigest()


def leaf_hash(entry_hash: str) -> bytes:
    """The leaf of an entry, from its hash in hexadecimal."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(entry_hash)).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two others; its prefix keeps it apart from every leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """What must be kept of a tree to let it grow: one peak for each complete subtree, the largest first.

    Attributes:
        size: number of leaves.
        peaks: a hash for each bit of `size` that is set, from the highest bit to the lowest.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add a leaf; amortised constant time."""
        self.size += 1
        self.peaks.append(leaf)
        bits = self.size
        while bits & 1 == 0:
            right = self.peaks.pop()
            self.peaks[-1] = node_hash(self.peaks[-1], right)
            bits >>= 1

    def root(self) -> str:
        """Root of the tree as it is, in hexadecimal."""
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node.hex()


def inclusion_paths(leaves: Sequence[bytes], wanted: Iterable[int]) -> dict[int, list[str]]:
    """For each wanted index (from 0), the hashes beside its way to the root, from the leaf up, in hexadecimal."""
    at = {index: index for index in wanted}
    paths: dict[int, list[str]] = {index: [] for index in at}
    level = list(leaves)
    while len(level) > 1:
        for index, place in at.items():
            beside = place ^ 1
            if beside < len(level):
                paths[index].append(level[beside].hex())
            at[index] = place >> 1
        odd = level[-1:] if len(level) % 2 else []
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)] + odd
    return paths


def peak_leaves(size: int) -> list[tuple[int, int]]:
    """First leaf (from 0) and height of each complete subtree of a tree of `size` leaves, the largest first.

    The path of that leaf in a grown tree, without its first `height` hashes, is that of the peak: a proof that the tree
    of `size` leaves is the beginning of the grown one.
    """
    peaks, first = [], 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            peaks.append((first, height))
            first += 1 << height
    return peaks
