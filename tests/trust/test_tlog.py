"""Roots and proofs of the trees that Certificate Transparency's implementations are tested with (RFC 6962; transparency-dev/merkle)."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

LEAVES = [
    bytes.fromhex(one)
    for one in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
_D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
_G = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
INCLUSIONS = [(0, 1, []), (0, 8, [_A, _B, _C]), (5, 8, [_D, _E, ROOTS[3]]), (2, 3, [ROOTS[1]]),
              (1, 5, [ROOTS[0], _B, _D])]  # fmt: skip
CONSISTENCIES = [(1, 1, []), (1, 8, [_A, _B, _C]), (6, 8, [_F, _E, ROOTS[3]]), (2, 5, [_B, _D]),
                 (6, 7, [_F, _G, ROOTS[3]])]  # fmt: skip

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
