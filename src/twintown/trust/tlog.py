"""Merkle trees of a log: hashes, proofs that an entry is in, proofs that nothing was taken out or put in between.

RFC 6962, section 2.1 (hash, audit path, consistency proof); the checks of both proofs are those of RFC 9162, sections 2.1.3.2 and
2.1.4.2. SHA-256 throughout. Numbers and bytes only: where the hashes lie, a `Reader` knows (`trust.tlog_tiles`).

A *complete subtree* (level, index) holds the leaves from index·2^level up to, without, (index + 1)·2^level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from twintown.ground.errors import BadParameter

#: Bytes of a hash.
HASH = 32
#: The root of the tree without leaves.
EMPTY = sha256(b"").digest()
#: Most hashes in a proof: trees have fewer than 2⁶³ leaves.
MOST = 63
#: The hash of a complete subtree by its level and index.
Reader = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 ‖ d)."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\1" + left + right).digest()


def fold(hashes: bytes) -> bytes:
    """The level above: 32 bytes for each two hashes of 32 bytes; one left over at the end is left out."""
    one = sha256
    pairs = range(0, len(hashes) - HASH, 2 * HASH)
    return b"".join([one(b"\1" + hashes[at : at + 2 * HASH]).digest() for at in pairs])


def complete_root(hashes: bytes) -> bytes:
    """The root above 2^n hashes."""
    while len(hashes) > HASH:
        hashes = fold(hashes)
    return hashes


def reader_of(leaves: Sequence[bytes]) -> Reader:
    """A reader over leaf hashes in memory; for small trees and for tests."""
    levels = [b"".join(leaves)]

    def read(level: int, index: int) -> bytes:
        while len(levels) <= level:
            levels.append(fold(levels[-1]))
        found = levels[level][index * HASH : (index + 1) * HASH]
        if len(found) != HASH:
            raise BadParameter("index", f"the tree has no subtree {index} at level {level}")
        return found

    return read


def root(size: int, read: Reader) -> bytes:
    """The root of the tree of the first `size` leaves."""
    return range_root(0, size, read) if size else EMPTY


def range_root(start: int, end: int, read: Reader) -> bytes:
    """MTH(D[start:end]), where `start` is a multiple of the smallest power of two that is not below the length."""
    return joined([read(level, index) for level, index in complete(start, end)])


def joined(parts: list[bytes]) -> bytes:
    """The root above complete subtrees from left to right, each larger than the next."""
    found = parts[-1]
    for one in reversed(parts[:-1]):
        found = node_hash(one, found)
    return found


def complete(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees (level, index) of such a range, from left to right, each larger than the next."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def inclusion(index: int, size: int, read: Reader) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962, section 2.1.1: from the leaf's neighbour up to below the root.

    Raises:
        BadParameter: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise BadParameter("entry", f"a tree of {size} leaves has no leaf {index}")
    start, end, found = 0, size, list[bytes]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append(range_root(middle, end, read))
            end = middle
        else:
            found.append(range_root(start, middle, read))
            start = middle
    return found[::-1]


def consistency(old: int, size: int, read: Reader) -> list[bytes]:
    """PROOF(m, D[n]) of RFC 6962, section 2.1.2; none from nothing, and none from a tree to itself.

    Raises:
        BadParameter: the old tree is larger.
    """
    if not 0 <= old <= size:
        raise BadParameter("old", f"a tree of {size} leaves never had {old} before")
    if old in (0, size):
        return []
    start, end, found, whole = 0, size, list[bytes](), True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            found.append(range_root(middle, end, read))
            end = middle
        else:
            found.append(range_root(start, middle, read))
            start, whole = middle, False
    if not whole:
        found.append(range_root(start, end, read))
    return found[::-1]


def _split(length: int) -> int:
    """The largest power of two below the length."""
    return 1 << ((length - 1).bit_length() - 1)


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree: bytes) -> bool:
    """Whether a leaf (its hash) stands at that place in the tree with that root; RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size or any(len(one) != HASH for one in (leaf, tree, *proof)):
        return False
    fn, sn, found = index, size - 1, leaf
    for one in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = node_hash(one, found)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, one)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found == tree


def consistent(old: int, size: int, proof: Sequence[bytes], old_root: bytes, tree: bytes) -> bool:
    """Whether the new tree begins with the old one; RFC 9162, section 2.1.4.2. From nothing, every tree does."""
    if not 0 <= old <= size or any(len(one) != HASH for one in (old_root, tree, *proof)):
        return False
    if old == 0:
        return not proof and old_root == EMPTY and (size > 0 or tree == EMPTY)
    if old == size:
        return not proof and old_root == tree
    if not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    before = after = path[0]
    for one in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            before, after = node_hash(one, before), node_hash(one, after)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            after = node_hash(after, one)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and before == old_root and after == tree
