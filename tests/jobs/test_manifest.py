"""What a result states of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.jobs import evidence

from twintown.ground.content import content_digest
from twintown.ground.errors import BadData
from twintown.ground.provenance import digest
from twintown.jobs.code import code_of
from twintown.jobs.manifest import identity, issue, to_bytes
from twintown.jobs.package import parsed
from twintown.jobs.results import Answer
from twintown.trust.proof import check
from twintown.twin.layers import Twin


@pytest.fixture
def twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Twin:
    evidence.install(monkeypatch, evidence.NEAR)
    return evidence.make_twin(tmp_path / "tiny")


@pytest.fixture
def made(twin: Twin) -> Answer:
    return evidence.answered(twin, factor=2)


def subject(twin: Twin, made: Answer) -> dict[str, Any]:
    found: dict[str, Any] = issue(twin, made.manifest)["credentialSubject"]
    return found


def test_a_manifest_is_a_credential_of_the_city_with_a_good_signature(twin: Twin, made: Answer) -> None:
    manifest = issue(twin, made.manifest, "https://city.example")
    assert manifest["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert "VerifiableCredential" in manifest["type"]
    assert manifest["issuer"]["id"] == "did:web:city.example:twins:tiny"
    assert manifest["proof"]["created"] == manifest["validFrom"]
    assert check(manifest, identity(twin, "https://city.example")) == ()
    assert [one.code for one in check(manifest, identity(twin))] == ["foreign-issuer", "unknown-key"]


def test_the_same_manifest_has_the_same_bytes_each_time(twin: Twin, made: Answer) -> None:
    first = to_bytes(issue(twin, made.manifest))
    assert to_bytes(issue(twin, made.manifest)) == first
    assert check(parsed(first, "again"), identity(twin)) == ()


def test_inputs_are_named_by_file_and_content_with_licence_and_where_to_get_them(
    twin: Twin, made: Answer
) -> None:
    (one,) = subject(twin, made)["inputs"]
    version = twin.version("trees", evidence.owner(twin))
    assert one["digest"] == version.digest == digest(twin.blobs.get(version.key))
    assert one["content"] == content_digest(evidence.trees())
    assert (one["layer"], one["count"], one["kind"], one["bytes"]) == (
        "trees",
        2,
        "features",
        twin.blobs.size(version.key),
    )
    assert one["sources"][0]["licence"]["id"] == "ODbL-1.0"
    assert one["href"] == "http://127.0.0.1:8000/twins/tiny/collections/trees"


def test_outputs_are_named_by_content_with_unit_and_error(twin: Twin, made: Answer) -> None:
    near, tall = subject(twin, made)["outputs"]
    assert (near["output"], near["unit"], near["error"], near["count"]) == ("nearness", "m", 0.05, 1200)
    shape = twin.read(made.outputs["nearness"], evidence.owner(twin))
    assert near["content"] == content_digest(shape)
    assert tall["layer"] == made.outputs["tall"].layer


def test_the_method_is_told_with_papers_measured_errors_code_and_machine(twin: Twin, made: Answer) -> None:
    told = subject(twin, made)
    assert told["parameters"] == {"factor": 2}
    assert told["process"]["citations"][0]["doi"] == "10.1068/b2665"
    assert told["process"]["validation"][0]["error"] == 1.09
    assert told["error"] == {"ko": "5 cm", "en": "5 cm"}
    assert told["code"] == code_of(evidence.NEAR)
    assert {"python", "libraries", "machine"} <= told["environment"].keys()
    assert told["place"]["bounds"] == [evidence.X, evidence.Y, evidence.X + 40, evidence.Y + 30]


def test_who_asked_is_not_told(twin: Twin, made: Answer) -> None:
    text = to_bytes(issue(twin, made.manifest)).decode()
    assert made.job.subject["kind"] not in text
    assert str(twin.directory) not in text


def test_what_is_no_manifest_is_not_signed(twin: Twin) -> None:
    with pytest.raises(BadData, match="no manifest"):
        issue(twin, {"validFrom": "yesterday"})
