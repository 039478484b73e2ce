"""What breaks a build in the field: kill -9, a second builder, a full disk, a damaged file, a directory without rights."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from twintown.build.run import build
from twintown.build.steps import owner
from twintown.ground.errors import Busy, StorageFailed, TwintownError
from twintown.store import blobs
from twintown.store.lock import locked
from twintown.twin.layers import Twin

KILLED_IN = """
import os, signal, sys
from pathlib import Path
from twintown.build import run, steps
make = steps.ProductStep.make
def killed(self, twin, layers, report):
    if self.product.id == sys.argv[2]:
        twin.blobs.put("tiles/base/HALF/0.mvt", b"half")
        (twin.directory / ".staging" / "put").mkdir(parents=True, exist_ok=True)
        (twin.directory / ".staging" / "put" / "x").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return make(self, twin, layers, report)
steps.ProductStep.make = killed
run.build(Path(sys.argv[1]))
"""


def python(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def served(town: Path) -> dict[str, tuple[str, int]]:
    """Version and number of rows that a reader gets, layer by layer; each is really read."""
    twin = Twin.open(town)
    grant = owner(twin)
    read = {one.layer: (one.version, len(twin.read(one, grant))) for one in twin.layers(grant)}  # type: ignore[arg-type]
    for product in twin.products(grant):
        twin.product_file(product, product.meta["entry"], grant)
        read[product.product] = (product.version, 0)
    return read


def narrow(town: Path) -> None:
    path = town / "twintown.toml"
    path.write_text(path.read_text().replace("xmax = 127.106", "xmax = 127.1035"))


def test_a_killed_build_is_taken_up_where_it_was(town: Path) -> None:
    assert python(KILLED_IN, town, "base").returncode == -signal.SIGKILL
    assert Twin.open(town).tables.layers() == {}
    done = build(town)
    assert done.kept == ("source/osm", "product/buildings-3dtiles")
    assert done.ran == ("product/base",)
    assert len(served(town)) == 7
    assert not (town / "tiles" / "base" / "HALF").exists()
    assert not (town / ".staging" / "put" / "x").exists()


def test_readers_see_the_old_versions_until_all_new_ones_are_there(town: Path) -> None:
    build(town)
    before = served(town)
    narrow(town)
    assert python(KILLED_IN, town, "base").returncode == -signal.SIGKILL
    assert served(town) == before
    build(town)
    after = served(town)
    assert after.keys() == before.keys()
    assert all(
        after[name][0] != before[name][0] for name in ("buildings", "roads", "base", "buildings-3dtiles")
    )


def test_a_second_builder_is_told_who_holds_the_lock(town: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from twintown.build.run import build; build(Path(sys.argv[1]))"
    )
    with locked(town):
        second = python(code, town)
        with pytest.raises(Busy, match=f"process {os.getpid()} on "):
            build(town)
    assert f"process {os.getpid()} on " in second.stderr
    assert second.returncode != 0
    assert build(town).layers == 5


@pytest.mark.slow
def test_the_lock_of_a_killed_builder_is_free(town: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from twintown.store.lock import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert python(code, town).returncode == -signal.SIGKILL
    with locked(town):
        pass


@pytest.mark.parametrize("part", ["layers/roads", "tiles/base"])
def test_a_full_disk_keeps_the_last_good_version(
    town: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    build(town)
    before = served(town)
    narrow(town)
    put = blobs.Blobs.put_stream

    def full(self: blobs.Blobs, key: str, chunks: Iterator[bytes]) -> None:
        if key.startswith(part):
            raise blobs.storage_failed(OSError(28, "No space left on device"), key)
        put(self, key, chunks)

    with monkeypatch.context() as patch:
        patch.setattr(blobs.Blobs, "put_stream", full)
        with pytest.raises(StorageFailed, match="the disk is full; free some space"):
            build(town)
    assert served(town) == before
    build(town)
    assert served(town) != before


@pytest.mark.slow
def test_a_real_limit_on_file_size_ends_in_one_line(town: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from twintown.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "main(['build', sys.argv[1]])"
    )
    ended = python(code, town, "9000")
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert build(town).layers == 5


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<osm><node", "tower.osm"),
        (None, "tower.osm"),
        ("<osm></osm>".encode("utf-16"), "tower.osm"),
    ],
    ids=["empty", "truncated", "missing", "another encoding"],
)
def test_a_damaged_input_keeps_the_last_good_version(
    town: Path, data: bytes | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from twintown.cli import main

    build(town)
    before = served(town)
    path = town / "data" / "tower.osm"
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["build", str(town)])
    lines = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2
    assert len(lines) == 1
    assert says in lines[0]
    assert served(town) == before


def test_a_source_that_breaks_is_named_in_one_line(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from twintown.build import steps

    def broken(*_arguments: object) -> dict[str, str]:
        raise ZeroDivisionError("by a stranger")

    monkeypatch.setattr(steps.ProductStep, "make", broken)
    with pytest.raises(
        TwintownError, match=r"product/buildings-3dtiles: broke \(ZeroDivisionError: by a stranger\)"
    ):
        build(town)


@pytest.mark.slow
def test_a_directory_without_rights_can_be_read_and_not_built(town: Path) -> None:
    # The whole of it in a child that gives up its rights, because root may write anywhere.
    place = Path(tempfile.mkdtemp(prefix="twintown-"))
    try:
        place.chmod(0o755)
        shutil.copytree(town, place / "town")
        code = """
import os, sys
from pathlib import Path
from twintown.build.run import build
from twintown.build.steps import owner
from twintown.ground.errors import StorageFailed
from twintown.twin.layers import Twin
town = Path(sys.argv[1])
build(town)
for folder, _, files in os.walk(town):
    os.chmod(folder, 0o555)
    for name in files:
        os.chmod(Path(folder, name), 0o444)
if os.geteuid() == 0:
    os.setuid(65534)
twin = Twin.open(town)
print(len(twin.read("roads", owner(twin))))
try:
    build(town)
except StorageFailed as error:
    print(error)
"""
        ended = python(code, place / "town")
        for folder, _, _ in os.walk(place):
            os.chmod(folder, 0o755)
    finally:
        shutil.rmtree(place)
    rows, line = ended.stdout.strip().splitlines() or ["", ended.stderr]
    assert int(rows) > 0, ended.stderr
    assert "Permission denied" in line
