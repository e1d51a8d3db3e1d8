"""The Merkle tree over a chain's hashes, pure: it proves one entry without showing the others (RFC 6962, section 2.1).

The leaves are the hashes of the entries in order of position. A proof is the short list of hashes by which anyone who
has one entry computes the root that a checkpoint states.
"""

import hashlib
from collections.abc import Iterable, Iterator
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
        place, height, node = self.size, 0, leaf
        self.made(height, place, node)
        while place & 1:
            place, height, node = place >> 1, height + 1, node_hash(self.peaks.pop(), node)
            self.made(height, place, node)
        self.peaks.append(node)
        self.size += 1

    def made(self, height: int, index: int, node: bytes) -> None:
        """Told of each complete subtree, once: `index` counts those of its height from 0. For those who note some."""

    def root(self) -> str:
        """Root of the tree as it is, in hexadecimal."""
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node.hex()


class InclusionPaths(Frontier):
    """A tree that notes, while it grows, what lies beside the ways of some leaves to its root, and nothing else."""

    def __init__(self, wanted: Iterable[int], size: int) -> None:
        """`wanted`: indexes of leaves (from 0); `size`: how many leaves the tree will have."""
        super().__init__()
        self._ways = {index: list(_beside(index, size)) for index in wanted}
        self._noted: dict[tuple[int, int], bytes | None] = {each: None for way in self._ways.values() for each in way}

    def made(self, height: int, index: int, node: bytes) -> None:
        """Note it when it lies beside a way."""
        if (height, index) in self._noted:
            self._noted[height, index] = node

    def paths(self) -> dict[int, list[str]]:
        """Once grown: for each wanted index, the hashes beside its way, from the leaf up, in hexadecimal."""
        edges = self._edges()
        return {
            index: [(self._noted[height, place] or edges[height]).hex() for height, place in way]
            for index, way in self._ways.items()
        }

    def _edges(self) -> dict[int, bytes]:
        """At each height where it is not a complete subtree, the last node: what the peaks below it come to."""
        edges: dict[int, bytes] = {}
        edge, smallest_first = b"", reversed(self.peaks)
        for height in range(self.size.bit_length()):
            edges[height] = edge
            if self.size >> height & 1:
                peak = next(smallest_first)
                edge = node_hash(peak, edge) if edge else peak
        return edges


def _beside(index: int, size: int) -> Iterator[tuple[int, int]]:
    """Height and index of each node beside the way of a leaf to the root; a last node without neighbour has none."""
    last = size - 1
    for height in range(last.bit_length()):
        beside = index >> height ^ 1
        if beside <= last >> height:
            yield height, beside


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
