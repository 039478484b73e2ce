"""A planner draws a slab, asks what it does to the sun, and hands on one file; another city repeats it, and a liar is found out.

Nothing of the two cities is shared but a server: the other one has no buildings at all, and needs none.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from twintown.jobs import results, verify
from twintown.jobs.runner import here

pytestmark = pytest.mark.slow
SEOUL, ICHEON = "/twins/tower", "/twins/hamlet"


@pytest.fixture(scope="module")
def working(client: TestClient) -> Iterator[TestClient]:
    twins = [served.twin for served in client.app.state.open.shelf.twins.values()]  # type: ignore[attr-defined]
    with here(twins, {"process": results.task, "verification": verify.task}):
        yield client


@pytest.fixture(scope="module")
def job(working: TestClient, towns: list[Path]) -> str:
    """Sunlight of a plan with a slab of 60 m, computed in Seoul."""
    owner = {"Authorization": f"Bearer {(towns[0] / 'owner.token').read_text().strip()}"}
    plan = working.post(f"{SEOUL}/scenarios", json={"name": "판상형 60 m"}, headers=owner).json()
    bounds = working.get(SEOUL).json()["bounds"]
    x, y = bounds["xmin"] + 60, bounds["ymin"] + 60
    slab = {
        "op": "add",
        "object": "new/00000001",
        "outline": [[x, y], [x + 60, y], [x + 60, y + 12], [x, y + 12]],
        "height_m": 60,
    }
    sent = working.post(
        f"{SEOUL}/scenarios/{plan['id']}/edits",
        json={"edits": [slab], "seen": plan["revision"]},
        headers=owner,
    )
    assert sent.status_code == 201, sent.text
    asked = working.post(
        f"{SEOUL}/processes/sunlight/execution", json={"inputs": {"scenario": plan["id"], "cell_m": 4}}, headers={"Prefer": "respond-async"}
    )  # fmt: skip
    assert asked.status_code == 201, asked.text
    return str(done(working, asked.headers["location"])["jobID"])


def done(client: TestClient, where: str) -> dict[str, Any]:
    for _ in range(3000):
        status: dict[str, Any] = client.get(where).json()
        if status["status"] not in ("accepted", "running"):
            assert status["status"] == "successful", status
            return status
        time.sleep(0.02)
    raise AssertionError(status)


def repeated(client: TestClient, package: bytes) -> dict[str, Any]:
    asked = client.post(
        f"{ICHEON}/verifications", content=package, headers={"Content-Type": "application/zip"}
    )
    assert asked.status_code == 201, asked.text
    done(client, asked.headers["location"])
    told: dict[str, Any] = client.get(f"{asked.headers['location']}/results").json()
    return told


def test_icheon_repeats_what_seoul_computed_of_a_plan_and_seals_it(working: TestClient, job: str) -> None:
    manifest = working.get(f"{SEOUL}/jobs/{job}/manifest").json()
    said = manifest["credentialSubject"]
    assert said["scenario"]["name"] == "판상형 60 m" and said["edits"][0]["op"] == "add"
    assert "buildings" not in {
        one["id"] for one in working.get(f"{ICHEON}/collections").json()["collections"]
    }
    told = repeated(working, working.get(f"{SEOUL}/jobs/{job}/evidence").content)
    assert (told["verdict"], told["sealed"]) == ("same", True), told
    assert told["signature"]["did"] == manifest["issuer"]["id"]
    assert {one["output"] for one in told["outputs"]} == {"sunlight-solar", "sunlight-civil", "facades"}


def test_a_lower_slab_in_the_manifest_is_found_out_by_signature_and_by_sun(
    working: TestClient, job: str
) -> None:
    package = working.get(f"{SEOUL}/jobs/{job}/evidence").content
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(held["manifest.json"])
    edit = manifest["credentialSubject"]["edits"][0]
    edit["height_m"] = edit["parts"][0]["top_m"] = edit["parts"][0]["eave_m"] = 15
    held["manifest.json"] = json.dumps(manifest).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    told = repeated(working, buffer.getvalue())
    assert told["verdict"] == "different" and not told["sealed"]
    assert [one["code"] for one in told["signature"]["findings"]] == ["bad-signature"]
    ground = next(one for one in told["outputs"] if one["output"] == "sunlight-solar")
    assert ground["max_difference"] > 1 and ground["count"] > 0
    assert abs(ground["where"]["lon"] - 127.1) < 0.01 and abs(ground["where"]["lat"] - 37.51) < 0.01
