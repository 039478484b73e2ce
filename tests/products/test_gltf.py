"""The encoder of one tile, and Khronos' validator on what it writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.products.scene import PLACE, accessor, block, parse

from twintown.ground.errors import BadInput, TooLarge
from twintown.ground.mesh import Mesh
from twintown.products import tiles3d
from twintown.products.gltf import TOLERANCE_M, Column, PropertyTable, encode
from twintown.products.tiles3d import BUILDINGS

#: The only infos that may be there: the validator does not know these extensions.
ALLOWED = {"UNSUPPORTED_EXTENSION", "UNUSED_OBJECT"}


def table(count: int) -> PropertyTable:
    columns = (Column("id", "string", "Identifier", "Identifier", [f"건물 {k}" for k in range(count)], True),)
    return PropertyTable("building", "Building", "Building", count, columns)


def pyramids(count: int, spread: float) -> Mesh:
    """Tetrahedra without floors in a row, each a feature."""
    one = np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 30]])
    faces = np.array([[0, 1, 3], [1, 2, 3], [2, 0, 3]])
    vertices = (one + np.arange(count)[:, None, None] * np.array([spread, spread / 2, 0])).reshape(-1, 3)
    triangles = (faces + 4 * np.arange(count)[:, None, None]).reshape(-1, 3)
    return Mesh(vertices, triangles.astype(np.int32), np.repeat(np.arange(count), 3).astype(np.int32))


@pytest.fixture(scope="session")
def validate(repository):
    """Runs the validator over files; skips where node or the module is missing, fails where `make test-all` set CHROMIUM."""
    script = repository / "web" / "gltf-check" / "check.mjs"
    node = shutil.which(
        "node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    )
    environment = dict(os.environ)
    there = (repository / "web" / "node_modules" / "gltf-validator").exists() or environment.get("NODE_PATH")
    if node is None or not there:
        reason = "gltf-validator is not installed: `npm ci --prefix web` brings it"
        if environment.get("CHROMIUM"):
            pytest.fail(reason)
        pytest.skip(reason)

    def run(files: list[Path]) -> dict[str, dict[str, object]]:
        names = "\n".join(map(str, files))
        done = subprocess.run(
            [node, script], input=names, capture_output=True, text=True, check=True, env=environment
        )
        found: dict[str, dict[str, object]] = json.loads(done.stdout)
        return found

    return run


def _check(validate, folder, files):
    for name, data in files.items():
        (folder / name.replace("/", "-")).write_bytes(data)
    for name, found in validate(sorted(folder.glob("*.glb"))).items():
        assert (found["errors"], found["warnings"]) == (0, 0), (name, found["messages"])
        assert set(found["infos"]) <= ALLOWED, name


def test_the_validator_finds_nothing_in_any_tile_of_the_block(validate, tmp_path, monkeypatch):
    monkeypatch.setattr(tiles3d, "_MOST_FEATURES", 6)
    files: dict[str, bytes] = {}
    BUILDINGS.build(block(5), PLACE, files.__setitem__)
    _check(validate, tmp_path, {name: data for name, data in files.items() if name.endswith(".glb")})


def test_the_validator_finds_nothing_in_the_real_tower_and_its_neighbours(validate, tmp_path, tower_block):
    files: dict[str, bytes] = {}
    BUILDINGS.build(tower_block, PLACE, files.__setitem__)
    _check(validate, tmp_path, {name: data for name, data in files.items() if name.endswith(".glb")})


@pytest.mark.slow
def test_the_validator_finds_nothing_in_any_tile_of_the_twins_that_were_built_here(validate, repository):
    built = sorted(repository.glob("*/*/tiles/*-3dtiles/*/t/*.glb"))
    if not built:
        pytest.skip("no twin was built here: `make demo` builds two")
    for name, found in validate(built).items():
        assert (found["errors"], found["warnings"]) == (0, 0), (name, found["messages"])
        assert set(found["infos"]) <= ALLOWED, name


def test_the_validator_finds_nothing_in_large_small_and_wide_tiles(validate, tmp_path):
    files = {
        "one.glb": encode(pyramids(1, 0.0), table(1)),
        "wide.glb": encode(pyramids(300, 90.0), table(300), "© Nobody"),
        "many.glb": encode(pyramids(8_000, 0.5), table(8_000)),
    }
    _check(validate, tmp_path, files)


def test_a_small_tile_is_quantised_within_the_tolerance():
    mesh = pyramids(5, 40.0)
    document, binary = parse(encode(mesh, table(5)))
    (node,) = document["nodes"]
    places = accessor(document, binary, 0)
    assert places.dtype == np.uint16
    local = places * node["scale"] + node["translation"]
    wanted = mesh.vertices[:, [0, 2, 1]] * (1.0, 1.0, -1.0)
    distance = np.linalg.norm(local[:, None] - wanted[None], axis=2)
    assert distance.min(axis=0).max() < TOLERANCE_M


def test_a_tile_too_wide_for_16_bits_is_cut_into_blocks_and_at_last_keeps_floats():
    blocks, _ = parse(encode(pyramids(20, 90.0), table(20)))
    assert len(blocks["nodes"]) > 1
    assert all("scale" in node for node in blocks["nodes"])
    floats, _ = parse(encode(pyramids(300, 90.0), table(300)))
    (node,) = floats["nodes"]
    assert "scale" not in node


def test_triangles_without_area_are_left_out_and_nothing_else_is_lost():
    good = pyramids(1, 0.0)
    flat = Mesh(
        good.vertices, np.vstack([good.triangles, [[0, 0, 1]]]).astype(np.int32), np.zeros(4, np.int32)
    )
    assert encode(flat, table(1)) == encode(good, table(1))
    with pytest.raises(BadInput, match="no triangle"):
        encode(Mesh(good.vertices, np.array([[0, 0, 1]], np.int32), np.zeros(1, np.int32)), table(1))


def test_what_a_tile_cannot_number_or_describe_is_refused():
    with pytest.raises(TooLarge, match="65,535 at most"):
        encode(pyramids(1, 0.0), PropertyTable("b", "b", "b", 70_000, ()))
    with pytest.raises(BadInput, match="does not have"):
        encode(pyramids(2, 20.0), table(1))
    wrong = PropertyTable("b", "b", "b", 2, table(1).columns)
    with pytest.raises(BadInput, match="1 values for 2 features"):
        encode(pyramids(2, 20.0), wrong)
