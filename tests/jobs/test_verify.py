# ruff: noqa: E501 - cases read better on one line each
"""A stranger repeats a result, and is told what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.jobs import evidence

from twintown.ground.content import content_digest
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.provenance import digest
from twintown.jobs import code
from twintown.jobs.job import Late
from twintown.jobs.manifest import identity, issue, to_bytes
from twintown.jobs.package import keep, pack
from twintown.jobs.verify import Verdict, verify
from twintown.trust.did import document, method_of
from twintown.trust.keys import Key
from twintown.trust.proof import sign
from twintown.twin.layers import Twin


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Twin, Path]:
    """A twin and the package of a result that was computed there."""
    folder = tmp_path_factory.mktemp("verify")
    with pytest.MonkeyPatch.context() as patch:
        evidence.install(patch, evidence.NEAR)
        twin = evidence.make_twin(folder / "tiny")
        answer = evidence.answered(twin, factor=2)
        keep(pack(twin, evidence.owner(twin), answer.job), folder / "evidence.zip")
    return twin, folder / "evidence.zip"


@pytest.fixture
def package(made: tuple[Twin, Path], tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    path.write_bytes(made[1].read_bytes())
    return path


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence.install(monkeypatch, evidence.NEAR)


def why(told: Verdict) -> list[str]:
    return [one.code for one in told.reasons]


def test_the_same_result_is_the_same_without_trusting_anybody(package: Path) -> None:
    told = verify(package)
    assert told.verdict == "same"
    assert [one.difference.verdict for one in told.outputs] == ["same", "same"]
    assert (told.signature.good, told.signature.by) == (True, "enclosed")
    assert not told.sealed
    assert verify(package.read_bytes()) == told


def test_keys_that_are_known_here_earn_the_seal(made: tuple[Twin, Path], package: Path) -> None:
    twin, _ = made
    keys = identity(twin)
    told = verify(package, known=lambda did: (keys, "here") if did == keys["id"] else None)
    assert told.sealed and told.to_dict()["signature"]["resolved"] is True


def test_another_key_of_the_same_city_does_not(package: Path) -> None:
    def known(did: str) -> tuple[Mapping[str, Any], str]:
        return document(did, [Key.of(bytes(32)).public]), "peer"

    told = verify(package, known=known)
    assert told.verdict == "same" and not told.sealed
    assert [one.code for one in told.signature.findings] == ["unknown-key"]


def test_a_manifest_with_one_byte_changed_is_repeated_and_its_signature_is_bad(package: Path) -> None:
    data = package.read_bytes()
    at = data.index(b'"seconds":') + len(b'"seconds":')
    digit = next(i for i in range(at, at + 9) if data[i : i + 1].isdigit())
    other = b"7" if data[digit : digit + 1] != b"7" else b"8"
    told = verify(data[:digit] + other + data[digit + 1 :])
    assert told.verdict == "same"
    assert not told.signature.good
    assert [one.code for one in told.signature.findings] == ["bad-signature"]
    assert not told.sealed


def test_a_changed_parameter_gives_another_result_and_says_where(package: Path) -> None:
    told = verify(evidence.restated(package, lambda said: said["parameters"].update(factor=3)))
    assert told.verdict == "different" and not told.signature.good
    near = next(one for one in told.outputs if one.output == "nearness").difference
    assert near.differing == 1200 and near.largest is not None and near.unit == "m"
    assert {"lon", "lat", "row", "col", "expected", "found"} <= near.where.keys()
    tall = next(one for one in told.outputs if one.output == "tall").difference
    assert tall.where["id"] == "t1" and tall.largest == pytest.approx(12.0)
    assert "1,202 values" in told.what["en"] and "at most" in told.what["en"]


def _with_output(package: Path, change: Any) -> Path:
    """The nearness changed, and the manifest made to fit, as a sender would who lies consistently."""

    def rewrite(held: dict[str, bytes]) -> None:
        manifest = json.loads(held["manifest.json"])
        one = next(o for o in manifest["credentialSubject"]["outputs"] if o["output"] == "nearness")
        grid = Grid.from_cog(held.pop(f"outputs/{one['digest'].partition(':')[2]}"))
        grid = replace(grid, values=change(grid.values.copy()))
        data = grid.to_cog_bytes()
        one.update(digest=digest(data), content=content_digest(grid), error=1e9)
        held[f"outputs/{one['digest'].partition(':')[2]}"] = data
        key = Key.of(bytes(range(32)))
        issuer = manifest["issuer"]["id"]
        held["did.json"] = json.dumps(document(issuer, [key.public])).encode()
        held["manifest.json"] = to_bytes(sign(manifest, key, method_of(issuer, key.public)))

    return evidence.repacked(package, rewrite)


def test_who_lies_with_a_good_signature_is_found_out_to_the_cell(package: Path) -> None:
    def nearer(values: Any) -> Any:
        values[7, 11] -= 4.0
        return values

    told = verify(_with_output(package, nearer))
    assert told.verdict == "different" and told.signature.good
    one = next(one for one in told.outputs if one.output == "nearness").difference
    assert (one.differing, one.where["row"], one.where["col"]) == (1, 7, 11)
    lon, lat = evidence.FRAME.to_lonlat(evidence.X + 11.5, evidence.Y + 30 - 7.5)
    assert (one.where["lon"], one.where["lat"]) == (round(float(lon), 7), round(float(lat), 7))


def test_within_the_error_that_the_process_here_declares(package: Path) -> None:
    told = verify(_with_output(package, lambda values: values + np.float32(0.04)))
    assert told.verdict == "within-error" and not told.sealed
    assert verify(_with_output(package, lambda values: values + np.float32(0.06))).verdict == "different"


def test_a_result_that_is_not_the_stated_one_is_told(package: Path) -> None:
    def swap(held: dict[str, bytes]) -> None:
        names = [one for one in held if one.startswith("outputs/")]
        held[names[0]] = held[names[0]] + b"0"

    told = verify(evidence.repacked(package, swap))
    assert told.verdict == "different"
    assert any("not the one that the manifest states" in one.difference.what for one in told.outputs)


def test_without_the_result_itself_the_digest_still_tells(package: Path) -> None:
    def strip(held: dict[str, bytes]) -> None:
        for name in [one for one in held if one.startswith("outputs/")]:
            del held[name]

    assert verify(evidence.repacked(package, strip)).verdict == "same"
    lied = evidence.restated(
        package,
        lambda said: said["outputs"][0].update(content="sha256:" + "0" * 64, digest="sha256:" + "0" * 64),
    )
    told = verify(lied)
    assert told.verdict == "different" and "where is not known" in told.outputs[0].difference.what


def test_a_process_that_is_not_here_is_named(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence.install(monkeypatch)
    told = verify(package)
    assert (told.verdict, why(told)) == ("cannot", ["process-not-here"]) and "'near'" in told.what["en"]
    assert told.signature.good
    evidence.install(monkeypatch, broken={"near": "ImportError: no torch"})
    told = verify(package)
    assert why(told) == ["process-broken"] and "no torch" in told.what["en"]


def test_a_version_that_is_not_here_is_named(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence.install(monkeypatch, replace(evidence.NEAR, version="2"))
    told = verify(package)
    assert why(told) == ["version-not-here"]
    assert "version 1" in told.what["en"] and "version 2" in told.what["en"]


def test_a_kernel_that_is_not_here_is_named_where_it_matters(package: Path) -> None:
    def other(said: dict[str, Any]) -> None:
        said["code"]["kernels"]["nearest"] = "sha256:" + "1" * 64

    assert verify(evidence.restated(package, other)).verdict == "same"

    def both(said: dict[str, Any]) -> None:
        other(said)
        said["parameters"]["factor"] = 3

    told = verify(evidence.restated(package, both))
    assert (told.verdict, why(told)) == ("cannot", ["kernel-not-here"])
    assert "kernels.nearest" in told.what["en"]
    assert told.outputs[0].difference.verdict == "different"


@pytest.mark.parametrize("change", ["gone", "damaged"])
def test_an_input_that_is_missing_or_damaged_is_named(package: Path, change: str) -> None:
    def spoil(held: dict[str, bytes]) -> None:
        name = next(one for one in held if one.startswith("inputs/"))
        data = held.pop(name)
        if change == "damaged":
            held[name] = data[:-5] + b"?????"

    told = verify(evidence.repacked(package, spoil))
    assert why(told) == ["input-missing" if change == "gone" else "input-damaged"]
    assert "trees" in told.what["en"]


def test_an_input_that_fits_its_digest_and_says_something_else_is_named(package: Path) -> None:
    def rewrite(held: dict[str, bytes]) -> None:
        manifest = json.loads(held["manifest.json"])
        one = manifest["credentialSubject"]["inputs"][0]
        del held[f"inputs/{one['digest'].partition(':')[2]}"]
        given = evidence.trees()
        data = Features(
            given.table.assign(height_m=[1.0, 1.0]), given.frame, given.provenance
        ).to_parquet_bytes()
        one["digest"] = digest(data)
        held[f"inputs/{one['digest'].partition(':')[2]}"] = data
        held["manifest.json"] = json.dumps(manifest).encode()

    assert why(verify(evidence.repacked(package, rewrite))) == ["input-content"]


@pytest.mark.parametrize("kind", ["grid", "series", "features", "pickle"])
def test_a_file_of_another_kind_is_never_read_as_what_it_says(
    package: Path, kind: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.tif"
    secret.write_bytes(
        Grid(np.ones((2, 2), np.uint8), 0, 2, 1, "1", evidence.FRAME, evidence.FROM).to_cog_bytes()
    )
    trap = (
        '<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{secret}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )

    def rewrite(held: dict[str, bytes]) -> None:
        manifest = json.loads(held["manifest.json"])
        one = manifest["credentialSubject"]["inputs"][0]
        one.update(digest=digest(trap.encode()), kind=kind)
        held[f"inputs/{one['digest'].partition(':')[2]}"] = trap.encode()
        held["manifest.json"] = json.dumps(manifest).encode()

    told = verify(evidence.repacked(package, rewrite))
    assert why(told) == ["input-damaged"]
    assert str(tmp_path) not in told.what["en"]


def test_a_manifest_alone_is_repeated_where_the_inputs_are(made: tuple[Twin, Path], package: Path) -> None:
    twin, _ = made
    raw = evidence.members(package)["manifest.json"]
    told = verify(raw)
    assert why(told) == ["input-missing"] and "/twins/tiny/collections/trees" in told.what["en"]
    assert told.signature.findings[0].code == "no-keys"
    version = twin.version("trees", evidence.owner(twin))
    told = verify(raw, local=lambda one: twin.local(version) if one["digest"] == version.digest else None)
    assert told.verdict == "same"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s: s.pop("inputs"), "manifest-malformed"), (lambda s: s.update(inputs=3), "manifest-malformed"),
        (lambda s: s.update(process="x"), "manifest-malformed"), (lambda s: s.update(outputs=[]), "manifest-malformed"),
        (lambda s: s.update(parameters=[]), "manifest-malformed"), (lambda s: s["outputs"][0].pop("output"), "manifest-malformed"),
        (lambda s: s["outputs"][0].update(output="gold"), "other-outputs"), (lambda s: s["parameters"].update(factor=99), "question-refused"),
        (lambda s: s["parameters"].update(factor="1"), "question-refused"), (lambda s: s["parameters"].update(colour=1), "question-refused"),
        (lambda s: s["parameters"].update(factor=13), "process-failed"), (lambda s: s.update(inputs=[]), "question-refused"),
        (lambda s: s["place"].update(frame={"crs": "EPSG:99999999"}), "question-refused"), (lambda s: s["place"].pop("frame"), "process-failed"),
        (lambda s: s["place"].update(bounds=[1, 2]), "process-failed"), (lambda s: s.update(edits=[{"op": "explode"}]), "question-refused"),
        (lambda s: s.update(edits=[{"op": "remove", "object": "b"}] * 2001), "question-refused"), (lambda s: s.update(edits=[3]), "manifest-malformed"),
        (lambda s: s["inputs"][0].pop("kind"), "manifest-malformed"),
    ],
)  # fmt: skip
def test_a_strange_question_ends_in_a_sentence(package: Path, change: Any, code: str) -> None:
    told = verify(evidence.restated(package, change))
    assert (told.verdict, why(told)) == ("cannot", [code])
    assert told.what["ko"] and told.what["en"]
    json.dumps(told.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4 no", b"{}", b"[1]", b"GIF89a", b'{"credentialSubject": {"process": null}}']
)
def test_what_is_no_package_is_told_as_that(data: bytes) -> None:
    told = verify(data)
    assert told.verdict == "cannot" and why(told)[0] in ("unreadable", "manifest-malformed")
    assert not told.signature.good


def test_who_does_not_want_it_any_more_ends_it(package: Path) -> None:
    def progress(stage: str, fraction: float) -> None:
        if fraction > 0.3:
            raise Late("dismissed")

    with pytest.raises(Late):
        verify(package, progress)


def test_a_larger_tolerance_of_the_sender_does_not_count(package: Path) -> None:
    def lie(said: dict[str, Any]) -> None:
        said["parameters"]["factor"] = 3
        for one in said["outputs"]:
            one["error"] = 1e9

    assert verify(evidence.restated(package, lie)).verdict == "different"


def test_the_code_there_and_here_is_told(package: Path) -> None:
    told = verify(package).to_dict()
    assert told["code"]["twintown"]["there"] == told["code"]["twintown"]["here"] == code._version("twintown")
    assert told["code"]["process near"] == {"there": "1", "here": "1"}


def test_a_title_of_the_manifest_is_not_shown_as_ours(package: Path) -> None:
    told = verify(
        evidence.restated(package, lambda said: said["outputs"][0].update(title={"ko": "<b>", "en": "<b>"}))
    )
    assert told.outputs[0].title == {"ko": "거리", "en": "Distance"}


def test_issue_under_another_name_is_another_manifest(made: tuple[Twin, Path], package: Path) -> None:
    twin, _ = made
    manifest = json.loads(evidence.members(package)["manifest.json"])
    manifest.pop("proof")
    other = issue(twin, manifest, "https://city.example")
    assert other["issuer"]["id"] == "did:web:city.example:twins:tiny"
