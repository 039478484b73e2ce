"""Two twins of one server: what the one computes, the other repeats from one file and seals, or says why not."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.answering import THREE, offering
from tests.api.conftest import write_twin

from twintown.api import verifications
from twintown.app import create_app
from twintown.jobs import outgoing, results, verify
from twintown.jobs.runner import here
from twintown.settings import Settings
from twintown.trust.keys import KEY_FILE
from twintown.trust.peers import parse_peers
from twintown.trust.proof import check

JOBS = {"process": results.task, "verification": verify.task}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("evidence")
    return create_app(
        [write_twin(folder / "seoul", "seoul"), write_twin(folder / "icheon", "icheon")],
        Settings(),
        warm=False,
    )


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    twins = [served.twin for served in app.state.open.shelf.twins.values()]
    with offering(), here(twins, JOBS), TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="module")
def job(client: TestClient) -> str:
    asked = client.post(
        "/twins/seoul/processes/three/execution", json={"inputs": {}}, headers={"Prefer": "respond-async"}
    )
    assert asked.status_code == 201, asked.text
    return wait(client, asked.headers["location"])["jobID"]


@pytest.fixture(scope="module")
def package(client: TestClient, job: str) -> bytes:
    answer = client.get(f"/twins/seoul/jobs/{job}/evidence")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert f"seoul-three-{job}.zip" in answer.headers["content-disposition"]
    return answer.content


def wait(client: TestClient, where: str) -> dict[str, Any]:
    for _ in range(600):
        status: dict[str, Any] = client.get(where).json()
        if status["status"] in ("successful", "failed", "dismissed"):
            return status
        time.sleep(0.02)
    raise AssertionError(status)


def verified(
    client: TestClient, body: bytes, twin: str = "icheon", kind: str = "application/zip"
) -> dict[str, Any]:
    asked = client.post(f"/twins/{twin}/verifications", content=body, headers={"Content-Type": kind})
    assert asked.status_code == 201, asked.text
    assert asked.json()["kind"] == "verification"
    status = wait(client, asked.headers["location"])
    assert status["status"] == "successful", status
    told: dict[str, Any] = client.get(f"{asked.headers['location']}/results").json()
    return told


def test_a_city_names_its_keys_at_the_address_of_its_name(client: TestClient, app: FastAPI) -> None:
    answer = client.get("/twins/seoul/did.json")
    assert answer.headers["content-type"] == "application/did+json"
    document = answer.json()
    assert document["id"] == "did:web:127.0.0.1%3A8000:twins:seoul"
    folder = app.state.open.shelf.get("seoul").twin.directory
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert (folder / KEY_FILE).read_text().strip() not in answer.text


def test_a_result_has_a_manifest_that_the_keys_of_the_city_fit(client: TestClient, job: str) -> None:
    answer = client.get(f"/twins/seoul/jobs/{job}/manifest")
    assert answer.headers["content-type"] == "application/vc"
    assert check(answer.json(), client.get("/twins/seoul/did.json").json()) == ()
    assert client.get(f"/twins/seoul/jobs/{job}/manifest").content == answer.content
    links = {link["rel"]: link["href"] for link in client.get(f"/twins/seoul/jobs/{job}").json()["links"]}
    assert links["describedby"].endswith("/manifest") and links["enclosure"].endswith("/evidence")


def test_another_city_repeats_the_result_and_seals_it(client: TestClient, package: bytes) -> None:
    told = verified(client, package)
    assert told["verdict"] == "same" and told["sealed"]
    assert told["signature"] == {
        "good": True, "did": "did:web:127.0.0.1%3A8000:twins:seoul", "by": "here", "resolved": True, "findings": []
    }  # fmt: skip
    assert sorted(one["output"] for one in told["outputs"]) == ["three-grid", "three-hours", "three-points"]
    assert told["city"]["id"] == "seoul"


def test_one_byte_changed_is_repeated_and_not_sealed(client: TestClient, package: bytes) -> None:
    at = package.index(b'"seconds":') + len(b'"seconds":')
    changed = package[:at] + bytes([package[at] ^ 1]) + package[at + 1 :]
    told = verified(client, changed)
    assert told["verdict"] == "same" and not told["sealed"]
    assert [one["code"] for one in told["signature"]["findings"]] == ["bad-signature"]


@pytest.mark.slow
def test_a_changed_result_is_different_and_where_is_told(
    client: TestClient, package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(ask: Any) -> Any:
        for name, shape in THREE.run(ask):
            if name == "three-grid":
                shape.values[1, 2] += 9
            yield name, shape

    from twintown.jobs.process import processes

    monkeypatch.setitem(processes().working, "three", THREE.__class__(**{**vars(THREE), "run": other}))  # type: ignore[index]
    told = verified(client, package)
    # the code is another one than the manifest states, so that nobody is accused: but what differs is told
    assert told["verdict"] == "cannot" and [one["code"] for one in told["reasons"]] == ["kernel-not-here"]
    grid = next(one for one in told["outputs"] if one["output"] == "three-grid")
    assert (grid["verdict"], grid["max_difference"], grid["unit"], grid["count"], grid["of"]) == (
        "different",
        9.0,
        "m",
        1,
        12,
    )
    assert {"lon", "lat", "row", "col"} <= grid["where"].keys()


def test_a_manifest_alone_is_repeated_by_the_twin_that_has_the_inputs(
    client: TestClient, package: bytes
) -> None:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        manifest = archive.read("manifest.json")
    assert verified(client, manifest, "seoul", "application/vc")["sealed"]
    there = verified(client, manifest.replace(b"seoul", b"seoux"), "icheon", "application/json")
    assert there["verdict"] in ("same", "cannot") and not there["sealed"]


def test_keys_of_a_peer_are_looked_up_at_the_address_that_the_twin_names(
    client: TestClient, app: FastAPI, package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = client.get("/twins/seoul/did.json").json()
    asked: list[str] = []

    def answer(
        hosts: outgoing.Hosts, method: str, url: str, parameter: str, *_: Any, **__: Any
    ) -> tuple[int, bytes, str]:
        hosts.check(url, parameter)
        asked.append(url)
        return 200, json.dumps(document).encode(), "application/did+json"

    monkeypatch.setattr(outgoing, "ask", answer)
    monkeypatch.setattr(verifications, "identity", lambda twin, url: {"id": "did:web:nobody"})
    twin = app.state.open.shelf.get("icheon").twin.writing()
    object.__setattr__(twin.description, "peers", parse_peers({"seoul": "http://127.0.0.1:8000/twins/seoul"}))
    told = verified(client, package)
    assert asked == ["http://127.0.0.1:8000/twins/seoul/did.json"]
    assert told["signature"]["by"] == "peer" and told["sealed"]
    object.__setattr__(twin.description, "peers", {})
    told = verified(client, package)
    assert told["signature"]["by"] == "enclosed" and told["signature"]["good"] and not told["sealed"]


def test_what_was_sent_is_removed_once_it_was_verified(
    client: TestClient, app: FastAPI, package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twintown.jobs import uploads

    twin = app.state.open.shelf.get("icheon").twin
    verified(client, package)
    assert twin.blobs.keys(uploads.FOLDER)
    monkeypatch.setattr(uploads, "new_version", lambda: "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
    assert uploads.sweep(twin) > 0
    assert not twin.blobs.keys(uploads.FOLDER)


@pytest.mark.parametrize("body", [b"PK\3\4", b"{}", b'{"credentialSubject": 1}'])
def test_what_is_no_package_is_a_verdict_and_no_accident(client: TestClient, body: bytes) -> None:
    told = verified(client, body)
    assert told["verdict"] == "cannot" and told["reasons"] and told["what"]["ko"]


@pytest.mark.parametrize("body", [b"GIF89a", b"[null]", b'"text"', b" "])
def test_what_is_neither_package_nor_manifest_is_refused_before_it_waits(
    client: TestClient, body: bytes
) -> None:
    answer = client.post("/twins/icheon/verifications", content=body)
    assert answer.status_code == 400 and "neither" in answer.json()["detail"]


def test_an_empty_body_and_one_that_is_too_large_are_refused(client: TestClient) -> None:
    assert client.post("/twins/icheon/verifications", content=b"").status_code == 400
    large = client.post("/twins/icheon/verifications", content=b"x", headers={"Content-Length": "600000000"})
    assert large.status_code == 413


def test_a_job_without_a_manifest_says_so(client: TestClient, package: bytes) -> None:
    asked = client.post("/twins/icheon/verifications", content=package)
    status = wait(client, asked.headers["location"])
    for part in ("manifest", "evidence"):
        answer = client.get(f"/twins/icheon/jobs/{status['jobID']}/{part}")
        assert answer.status_code == 404 and "no manifest" in answer.json()["detail"]
    assert client.get("/twins/icheon/jobs/none/evidence").status_code == 404
