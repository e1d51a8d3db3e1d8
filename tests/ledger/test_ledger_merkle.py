"""The Merkle tree is that of RFC 6962, grows from its peaks, and every path leads to its root."""

import hashlib
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.evidence_verifier import EvidenceError, check_consistency, merkle_root
from gateway.ledger.merkle import EMPTY_ROOT, Frontier, InclusionPaths, leaf_hash, peak_leaves

SIZES = st.integers(1, 70)


def hashes(size: int) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(size)]


def grown(entries: list[str], frontier: Frontier | None = None) -> Frontier:
    frontier = frontier or Frontier()
    for each in entries:
        frontier.append(leaf_hash(each))
    return frontier


def paths_of(entries: list[str], wanted: Iterable[int]) -> dict[int, list[str]]:
    tree = InclusionPaths(wanted, len(entries))
    grown(entries, tree)
    return tree.paths()


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word: split at the largest power of two below the size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_by_definition(leaves[:split]) + root_by_definition(leaves[split:])).digest()


def test_a_tree_without_leaves_has_the_root_of_the_standard():
    assert Frontier().root() == EMPTY_ROOT == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(SIZES)
def test_the_root_is_that_of_the_standard(size):
    entries = hashes(size)
    assert grown(entries).root() == root_by_definition([leaf_hash(each) for each in entries]).hex()


@given(SIZES, st.data())
def test_a_tree_grows_from_its_peaks_as_if_it_had_never_stopped(size, data):
    entries = hashes(size)
    half = data.draw(st.integers(0, size))
    first = grown(entries[:half])
    resumed = grown(entries[half:], Frontier(first.size, list(first.peaks)))
    assert resumed.root() == grown(entries).root()


@given(SIZES)
def test_every_path_leads_to_the_root_as_the_stand_alone_verifier_reckons(size):
    entries = hashes(size)
    paths = paths_of(entries, range(size))
    root = grown(entries).root()
    for index, entry in enumerate(entries):
        assert merkle_root({"position": index + 1, "hash": entry, "path": paths[index]}, size) == root


@given(st.integers(2, 70), st.data())
def test_no_path_leads_another_entry_or_place_to_the_root(size, data):
    entries = hashes(size)
    index = data.draw(st.integers(0, size - 1))
    path = paths_of(entries, [index])[index]
    root = grown(entries).root()
    other = hashlib.sha256(b"another").hexdigest()
    assert merkle_root({"position": index + 1, "hash": other, "path": path}, size) != root
    elsewhere = data.draw(st.integers(0, size - 1).filter(lambda place: place != index))
    assert merkle_root({"position": elsewhere + 1, "hash": entries[index], "path": path}, size) != root


@pytest.mark.parametrize("change", [lambda path: path[:-1], lambda path: [*path, path[0]]])
def test_a_path_of_the_wrong_length_leads_nowhere(change):
    entries = hashes(6)
    path = paths_of(entries, [0])[0]
    assert merkle_root({"position": 1, "hash": entries[0], "path": change(path)}, 6) != grown(entries).root()


def consistency(entries: list[str], size: int) -> dict:
    """What consistency.json says of the first `size` entries of a grown chain."""
    earlier, peaks = grown(entries[:size]), peak_leaves(size)
    paths = paths_of(entries, [first for first, _ in peaks])
    return {
        "position": size,
        "root": earlier.root(),
        "peaks": [peak.hex() for peak in earlier.peaks],
        "paths": [paths[first][height:] for first, height in peaks],
    }


@given(SIZES, st.data())
def test_every_tree_is_proved_to_be_the_beginning_of_the_grown_one(size, data):
    entries = hashes(size)
    earlier = consistency(entries, data.draw(st.integers(0, size)))
    check_consistency(earlier, {"position": size, "root": grown(entries).root()})


@given(st.integers(2, 70), st.data())
def test_no_tree_with_another_past_is_proved_to_be_the_beginning(size, data):
    entries = hashes(size)
    half = data.draw(st.integers(1, size))
    changed = list(entries)
    changed[data.draw(st.integers(0, half - 1))] = hashlib.sha256(b"another").hexdigest()
    with pytest.raises(EvidenceError):
        check_consistency(consistency(entries, half), {"position": size, "root": grown(changed).root()})


def test_the_memory_of_a_few_paths_does_not_grow_with_the_tree():
    def peak(size: int) -> int:
        tree = InclusionPaths([3], size)
        tracemalloc.start()
        for number in range(size):
            tree.append(number.to_bytes(32))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(64)
    assert peak(20_000) < peak(2_000) + 2_000
