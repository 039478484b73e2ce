"""The evidence package, and what strangers make of it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.jobs import evidence

from twintown.ground.errors import BadData, NotFound, TooLarge
from twintown.jobs.manifest import issue, to_bytes
from twintown.jobs.package import Package, keep, pack, parsed
from twintown.jobs.results import Answer
from twintown.twin.layers import Twin


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Twin:
    evidence.install(patch, evidence.NEAR)
    return evidence.make_twin(tmp_path_factory.mktemp("package") / "tiny")


@pytest.fixture(scope="module")
def made(twin: Twin) -> Answer:
    return evidence.answered(twin)


@pytest.fixture
def package(twin: Twin, made: Answer, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    keep(pack(twin, evidence.owner(twin), made.job), path)
    return path


def test_everything_is_enclosed_under_its_digest(twin: Twin, made: Answer, package: Path) -> None:
    held = evidence.members(package)
    assert held.pop("manifest.json") == to_bytes(issue(twin, made.manifest))
    assert json.loads(held.pop("did.json"))["id"] == "did:web:127.0.0.1%3A8000:twins:tiny"
    assert "twintown verify" in held.pop("README.txt").decode()
    assert sorted(name.partition("/")[0] for name in held) == ["inputs", "outputs", "outputs"]
    assert all(hashlib.sha256(data).hexdigest() == name.partition("/")[2] for name, data in held.items())


def test_the_same_result_gives_the_same_bytes(twin: Twin, made: Answer, package: Path) -> None:
    assert b"".join(pack(twin, evidence.owner(twin), made.job)) == package.read_bytes()


def test_a_package_of_nothing_is_refused_before_the_first_byte(twin: Twin, made: Answer) -> None:
    from dataclasses import replace

    with pytest.raises(NotFound, match="no manifest"):
        pack(twin, evidence.owner(twin), replace(made.job, state="failed"))


def test_a_package_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield b"PK"
        raise NotFound("gone")

    with pytest.raises(NotFound):
        keep(broken(), tmp_path / "evidence.zip")
    assert list(tmp_path.iterdir()) == []


def test_members_are_unpacked_by_digest_and_checked(package: Path, tmp_path: Path) -> None:
    with Package(package, tmp_path) as opened:
        (one,) = opened.manifest["credentialSubject"]["inputs"]
        path = opened.file("inputs", one["digest"])
        assert path is not None and path.parent == tmp_path
        assert opened.file("inputs", "sha256:" + "0" * 64) is None
        for bad in ("sha256:../../etc/passwd", "../manifest.json", ""):
            with pytest.raises(BadData, match="no digest"):
                opened.file("inputs", bad)


def test_a_manifest_alone_is_taken(twin: Twin, made: Answer, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(to_bytes(issue(twin, made.manifest)))
    with Package(path, tmp_path) as opened:
        assert opened.alone and opened.did == {}


def test_a_truncated_archive_is_named(package: Path, tmp_path: Path) -> None:
    data = package.read_bytes()
    for size in (3, 100, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.zip").write_bytes(data[:size])
        with pytest.raises(BadData, match=r"cannot be read|no JSON"):
            Package(tmp_path / "cut.zip", tmp_path)


def test_a_member_with_other_bytes_than_its_name_says_is_named(package: Path, tmp_path: Path) -> None:
    def change(held: dict[str, bytes]) -> None:
        name = next(one for one in held if one.startswith("inputs/"))
        held[name] = held[name][:-1] + b"?"

    with Package(evidence.repacked(package, change), tmp_path) as opened:
        (one,) = opened.manifest["credentialSubject"]["inputs"]
        with pytest.raises(BadData, match="other bytes"):
            opened.file("inputs", one["digest"])
        assert not list(tmp_path.glob("inputs-*"))


def test_a_damaged_member_is_named(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        about = next(one for one in archive.infolist() if one.filename.startswith("inputs/"))
    data = bytearray(package.read_bytes())
    data[about.header_offset + 200] ^= 1
    (tmp_path / "bad.zip").write_bytes(data)
    with Package(tmp_path / "bad.zip", tmp_path) as opened, pytest.raises(BadData, match="damaged"):
        opened.file("inputs", f"sha256:{about.filename.partition('/')[2]}")


def _bomb(path: Path, name: str, size: int) -> Path:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return path


def test_what_unpacks_to_more_than_is_taken_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = _bomb(tmp_path / "bomb.zip", "inputs/" + "0" * 64, 40 << 20)
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(TooLarge, match="unpacks to"):
        Package(bomb, tmp_path, most=16 << 20)


def test_a_member_that_says_less_than_it_holds_is_stopped(package: Path, tmp_path: Path) -> None:
    def add(held: dict[str, bytes]) -> None:
        held["inputs/" + "a" * 64] = bytes(3 << 20)

    path = evidence.repacked(package, add)
    with Package(path, tmp_path) as opened:
        opened._members["inputs/" + "a" * 64].file_size = 10
        with pytest.raises((TooLarge, BadData)):
            opened.file("inputs", "sha256:" + "a" * 64)
    with Package(path, tmp_path) as opened:
        opened._left = 1 << 20
        with pytest.raises(TooLarge, match="larger"):
            opened.file("inputs", "sha256:" + "a" * 64)


def test_too_many_members_and_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(1001):
            archive.writestr(f"x{number}", b"")
    with pytest.raises(TooLarge, match="members"):
        Package(tmp_path / "many.zip", tmp_path)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("manifest.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("manifest.json", b"{}")
    with pytest.raises(BadData, match="one name"):
        Package(tmp_path / "two.zip", tmp_path)


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"3", b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b"[" * 100_000, b'{"a":"\x00"}'],
)
def test_what_is_no_json_object_is_no_manifest(raw: bytes) -> None:
    with pytest.raises(BadData, match=r"no JSON|no JSON object"):
        parsed(raw, "manifest.json")


def test_an_archive_without_a_manifest_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("../../evil", b"x")
    with pytest.raises(BadData, match=r"holds no manifest\.json"):
        Package(tmp_path / "none.zip", tmp_path)
    assert not (tmp_path.parent.parent / "evil").exists()
