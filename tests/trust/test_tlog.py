"""Roots and proofs of the trees that Certificate Transparency's implementations are tested with (RFC 6962; transparency-dev/merkle)."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from validation.ledger_vectors import CONSISTENCIES, INCLUSIONS, LEAVES, ROOTS

from twintown.ground.errors import BadParameter
from twintown.trust.tlog import (
    EMPTY,
    consistency,
    consistent,
    included,
    inclusion,
    leaf_hash,
    reader_of,
    root,
)

READ = reader_of([leaf_hash(leaf) for leaf in LEAVES])


def of(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in hashes]


def test_the_roots_of_the_known_trees_are_found() -> None:
    assert (
        root(0, READ)
        == EMPTY
        == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    )
    assert [root(size, READ).hex() for size in range(1, 9)] == ROOTS


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSIONS)
def test_the_known_inclusion_proofs_are_made_and_hold(index: int, size: int, proof: list[str]) -> None:
    assert inclusion(index, size, READ) == of(proof)
    assert included(leaf_hash(LEAVES[index]), index, size, of(proof), of(ROOTS)[size - 1])


@pytest.mark.parametrize(("old", "size", "proof"), CONSISTENCIES)
def test_the_known_consistency_proofs_are_made_and_hold(old: int, size: int, proof: list[str]) -> None:
    assert consistency(old, size, READ) == of(proof)
    assert consistent(old, size, of(proof), of(ROOTS)[old - 1], of(ROOTS)[size - 1])


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSIONS[1:])
def test_an_inclusion_proof_that_was_touched_does_not_hold(index: int, size: int, proof: list[str]) -> None:
    leaf, tree, path = leaf_hash(LEAVES[index]), of(ROOTS)[size - 1], of(proof)
    other = sha256(b"other").digest()
    for place, total in ((index - 1, size), (index + 1, size), (index ^ 2, size), (index, size * 2), (index, size // 2)):  # fmt: skip
        assert not included(leaf, place, total, path, tree)
    for wrong_leaf, wrong_tree in ((other, tree), (leaf, other), (leaf, EMPTY), (b"leaf", tree), (leaf, b"")):
        assert not included(wrong_leaf, index, size, path, wrong_tree)
    for wrong in touched(path, tree, other):
        assert not included(leaf, index, size, wrong, tree)


@pytest.mark.parametrize(("old", "size", "proof"), CONSISTENCIES[1:])
def test_a_consistency_proof_that_was_touched_does_not_hold(old: int, size: int, proof: list[str]) -> None:
    before, after, path = of(ROOTS)[old - 1], of(ROOTS)[size - 1], of(proof)
    other = sha256(b"other").digest()
    for first, second in ((old - 1, size), (old + 1, size), (old ^ 2, size), (old, size * 2), (old, size // 2)):  # fmt: skip
        assert not consistent(first, second, path, before, after)
    for first_root, second_root in ((other, after), (before, other), (after, before), (b"", after)):
        assert not consistent(old, size, path, first_root, second_root)
    for wrong in [[], *touched(path, before, other), [*path, after], [path[0], *path]]:
        assert not consistent(old, size, wrong, before, after)


def touched(path: list[bytes], tree: bytes, other: bytes) -> list[list[bytes]]:
    flipped = [[*path[:at], bytes([one[0] ^ 8]) + one[1:], *path[at + 1 :]] for at, one in enumerate(path)]
    return [
        *flipped,
        path[:-1],
        [*path, b""],
        [*path, tree],
        [b"", *path],
        [tree, *path],
        [*path[:1], other, *path[1:]],
    ]


def test_trees_without_a_proof_are_told_apart() -> None:
    one, two = of(ROOTS[:2])
    assert consistent(0, 0, [], EMPTY, EMPTY) and consistent(0, 2, [], EMPTY, two)
    assert consistent(2, 2, [], two, two)
    assert not consistent(0, 0, [], EMPTY, one) and not consistent(0, 2, [], one, two)
    assert not consistent(1, 1, [], one, two) and not consistent(1, 1, [EMPTY], one, one)
    assert not consistent(2, 1, [], two, one) and not consistent(1, 2, [], one, two)
    assert not included(one, 0, 0, [], EMPTY) and not included(one, 1, 1, [], one)


def test_what_a_tree_has_not_is_refused() -> None:
    for index, size in ((-1, 4), (4, 4), (0, 0)):
        with pytest.raises(BadParameter):
            inclusion(index, size, READ)
    with pytest.raises(BadParameter):
        consistency(5, 4, READ)
    with pytest.raises(BadParameter):
        READ(3, 1)


def plain(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 writes it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + plain(leaves[:k]) + plain(leaves[k:])).digest()


@given(st.data())
def test_every_proof_of_every_tree_holds_for_it_and_for_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    leaves = [bytes([number]) for number in range(size)]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    read, tree, before = reader_of(hashes), plain(leaves), plain(leaves[:old])
    assert root(size, read) == tree
    path, growth = inclusion(index, size, read), consistency(old, size, read)
    assert included(hashes[index], index, size, path, tree)
    assert consistent(old, size, growth, before, tree)
    other = data.draw(st.integers(0, size - 1))
    assert included(hashes[index], other, size, path, tree) == (other == index)
    wrong = plain([*leaves[:-1], b"other"])
    assert not included(hashes[index], index, size, path, wrong)
    assert old == 0 or not consistent(old, size, growth, before, wrong)
