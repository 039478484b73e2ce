from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twintown.ground.errors import BadParameter, BadSettings, NotFound, StorageFailed
from twintown.store.blobs import Blobs, open_blobs, writer_mark


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path / "town")


def test_bytes_come_back(blobs: Blobs) -> None:
    blobs.put("layers/buildings/1/data.parquet", b"abc")
    assert blobs.get("layers/buildings/1/data.parquet") == b"abc"
    assert blobs.get_range("layers/buildings/1/data.parquet", 1, 2) == b"bc"
    assert blobs.size("layers/buildings/1/data.parquet") == 3
    assert blobs.path("layers/buildings/1/data.parquet").read_bytes() == b"abc"
    assert blobs.exists("layers/buildings/1/data.parquet")
    assert not blobs.exists("layers/nothing")


def test_a_list_is_sorted_and_holds_only_what_is_below(blobs: Blobs) -> None:
    for key in ("b/2", "b/1", "a/1", "bb/1"):
        blobs.put(key, b"x")
    assert blobs.keys() == ["a/1", "b/1", "b/2", "bb/1"]
    assert blobs.keys("b") == ["b/1", "b/2"]
    assert blobs.folders("b") == []
    blobs.put("b/c/1", b"x")
    assert blobs.folders("b") == ["b/c"]
    blobs.delete_prefix("b")
    blobs.delete("a/1")
    blobs.delete("a/1")
    assert blobs.keys() == ["bb/1"]


@pytest.mark.parametrize(
    "key", ["", "/a", "../a", "a/../b", "a//b", "a/", "a\\b", ".staging/x", "a/.b", "a\0b"]
)
def test_a_key_cannot_leave_the_store(blobs: Blobs, key: str) -> None:
    with pytest.raises(BadParameter):
        blobs.put(key, b"x")


def test_a_missing_key_is_named(blobs: Blobs) -> None:
    with pytest.raises(NotFound, match="layers/none"):
        blobs.get("layers/none")
    with pytest.raises(NotFound):
        blobs.path("layers/none")


def test_a_stream_that_breaks_leaves_the_old_bytes(blobs: Blobs) -> None:
    blobs.put("a", b"old")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("the source ended early")

    with pytest.raises(ValueError, match="ended early"):
        blobs.put_stream("a", broken())
    assert blobs.get("a") == b"old"
    assert blobs.keys() == ["a"]
    assert list((blobs.root or Path()).glob(".staging/put/*")) == []


def test_a_full_disk_is_one_line_and_nothing_partial_is_seen(blobs: Blobs) -> None:
    blobs.put("a", b"old")
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        with pytest.raises(StorageFailed) as caught:
            blobs.put("a", b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    assert blobs.get("a") == b"old"


def test_no_space_says_that_the_last_good_version_is_kept(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFailed, match="the disk is full; free some space"):
        blobs.put("a", b"x")
    assert blobs.keys() == []


def test_a_writer_killed_half_way_leaves_nothing_to_be_seen(blobs: Blobs) -> None:
    code = (
        "import os, signal; from twintown.store.blobs import open_blobs\n"
        "def chunks():\n"
        "    yield b'x' * (1 << 20)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"open_blobs({str(blobs.root)!r}).put_stream('a/b', chunks())"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert blobs.keys() == []
    assert not blobs.exists("a/b")


def test_a_directory_is_kept_file_by_file(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "made"
    (source / "0").mkdir(parents=True)
    (source / "tileset.json").write_bytes(b"{}")
    (source / "0" / "0.glb").write_bytes(b"glTF")
    assert blobs.put_directory("tiles/1", source) == ["tiles/1/0/0.glb", "tiles/1/tileset.json"]
    assert blobs.get("tiles/1/0/0.glb") == b"glTF"


def test_a_store_in_memory_behaves_like_a_bucket() -> None:
    blobs = open_blobs("memory:///")
    blobs.put("a/b", b"abc")
    assert (blobs.get("a/b"), blobs.keys("a"), blobs.exists("a/c")) == (b"abc", ["a/b"], False)
    with pytest.raises(BadSettings, match="bucket"):
        blobs.path("a/b")
    blobs.delete_prefix("a")
    assert blobs.keys() == []


def test_a_bad_url_and_a_missing_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="nosuch"):
        open_blobs("nosuch://bucket")
    with pytest.raises(NotFound, match="absent"):
        open_blobs(tmp_path / "absent", create=False)


def test_a_sweep_leaves_what_the_living_write_and_what_others_may(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path)
    place = tmp_path / ".staging" / "put"
    place.mkdir(parents=True)
    ours = writer_mark()
    dead = f"999999999-{ours.partition('-')[2]}-a"
    for name in (f"{ours}-a", dead, "1-00000000-a", "half"):
        (place / name).write_bytes(b"x")
    (place.parent / "rooms" / dead).mkdir(parents=True)
    blobs.sweep()
    assert {path.name for path in place.iterdir()} == {f"{ours}-a", "1-00000000-a"}
    assert not list((place.parent / "rooms").iterdir())
    with blobs.beside() as folder:
        (folder / "file").write_bytes(b"x")
        blobs.sweep()
        assert (folder / "file").exists()
    assert not folder.exists()
