from __future__ import annotations

import pytest

from twintown.ground.errors import BadData, NotFound, TooLarge
from twintown.trust.tlog import HASH, consistency, inclusion, leaf_hash, reader_of, root
from twintown.trust.tlog_tiles import (
    ENTRIES,
    LONGEST,
    Tile,
    above,
    bundle,
    narrowed,
    reader,
    tiles,
    unbundle,
    width_at,
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),  # the example of c2sp.org/tlog-tiles
        (Tile(0, 0, 5), "tile/0/000.p/5"),
        (Tile(ENTRIES, 999), "tile/entries/999"),
        (Tile(ENTRIES, 1000, 255), "tile/entries/x001/000.p/255"),
        (Tile(63, 1), "tile/63/001"),
    ],
)
def test_a_tile_has_one_path_and_is_found_by_it(tile: Tile, path: str) -> None:
    assert tile.path == path and Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/64/000", "tile/00/000", "tile/0/0", "tile/0/0000", "tile/0/x000/000", "tile/0/000.p/0", "tile/0/000.p/256",
        "tile/0/000.p/05", "tile/0/001/000", "tile/0/x001", "tile/0/000/", "tile/-1/000", "tile/entries/../000", "tile/8/000.p/",
        "tile/0/٠٠٠", "checkpoint", "",
    ],
)  # fmt: skip
def test_another_way_of_writing_is_no_tile(path: str) -> None:
    with pytest.raises(NotFound):
        Tile.parse(path)


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    found = list(tiles(70_000))
    hashes = [tile for tile in found if tile.level >= 0]
    assert [sum(tile.full for tile in hashes if tile.level == level) for level in range(3)] == [273, 1, 0]
    assert [tile for tile in hashes if not tile.full] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert [tile.number for tile in found if tile.level == ENTRIES] == list(range(274))


def test_a_tree_of_256_has_a_full_tile_and_one_of_width_1_above() -> None:
    assert list(tiles(256)) == [Tile(ENTRIES, 0), Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles(0)) == []


@pytest.mark.parametrize(("start", "size"), [(0, 5), (5, 6), (250, 260), (256, 257), (511, 512), (65_535, 65_537), (7, 7)])  # fmt: skip
def test_only_tiles_that_have_grown_are_written_again(start: int, size: int) -> None:
    before = set(tiles(start))
    assert set(tiles(size, start)) == set(tiles(size)) - before


def kept(count: int) -> tuple[list[bytes], dict[Tile, bytes]]:
    """Leaf hashes, and the tiles of their tree, each level made from the one below."""
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]
    row, found, level = b"".join(leaves), dict[Tile, bytes](), 0
    while row:
        for number in range(-(-len(row) // (256 * HASH))):
            part = row[number * 256 * HASH : (number + 1) * 256 * HASH]
            found[Tile(level, number, len(part) // HASH)] = part
        row, level = above(row), level + 1
    return leaves, found


def test_proofs_out_of_tiles_are_those_of_the_tree() -> None:
    leaves, found = kept(1000)
    assert set(found) == {tile for tile in tiles(1000) if tile.level >= 0}
    plain, tiled = reader_of(leaves), reader(found.__getitem__, 1000)
    assert root(1000, tiled) == root(1000, plain)
    for index in (0, 255, 256, 767, 768, 999):
        assert inclusion(index, 1000, tiled) == inclusion(index, 1000, plain)
    for old in (1, 255, 256, 257, 768, 999):
        assert consistency(old, 1000, tiled) == consistency(old, 1000, plain)
    with pytest.raises(NotFound):
        tiled(0, 1000)
    with pytest.raises(NotFound):
        tiled(8, 3)


def test_a_tile_that_is_cut_off_is_named() -> None:
    _, found = kept(300)
    with pytest.raises(BadData, match=r"tile/1/000\.p/1"):
        root(300, reader(lambda tile: found[tile][:-1], 300))


def test_a_bundle_is_read_back_and_a_broken_one_is_refused() -> None:
    entries = [b"", b"a", b"b" * LONGEST]
    data = bundle(entries)
    assert unbundle(data, 3) == entries
    for broken, width in ((data[:-1], 3), (data + b"\0", 3), (data, 2), (data, 4), (b"\0", 0)):
        with pytest.raises(BadData):
            unbundle(broken, width)
    with pytest.raises(TooLarge):
        bundle([b"c" * (LONGEST + 1)])


def test_a_narrower_tile_is_the_beginning_of_a_wider_one() -> None:
    entries = [bytes([number]) * number for number in range(9)]
    assert narrowed(Tile(ENTRIES, 0, 9), bundle(entries), 4) == bundle(entries[:4])
    assert narrowed(Tile(0, 0, 3), b"a" * 32 + b"b" * 32 + b"c" * 32, 2) == b"a" * 32 + b"b" * 32
    assert Tile(0, 0, 3).of_width(2) == Tile(0, 0, 2)
    assert [width_at(level, 0, 70_000) for level in (ENTRIES, 0, 1, 2, 3)] == [256, 256, 256, 1, 0]
