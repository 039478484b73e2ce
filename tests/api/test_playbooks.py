"""Playbooks over HTTP: installed under a known signature, asked what lacks, run as jobs, given on to who may have them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from tests.api.conftest import TestClient, write_twin
from tests.exchange.test_playbook import AT, DID_OF, KEY, TEXT, files, packed

from twintown.app import create_app
from twintown.exchange.playbook_package import pack, read
from twintown.jobs.runner import here
from twintown.keeper import tasks
from twintown.settings import Settings
from twintown.trust.identity import make_token

ONE, ZIP = "/twins/one/playbooks", {"Content-Type": "application/zip"}
ACCEPT = {"accept": KEY.public}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_twin(tmp_path_factory.mktemp("playbooks") / "one", "one")
    make_token(folder)
    return folder


@pytest.fixture(scope="module")
def app(place: Path) -> FastAPI:
    return create_app([place], Settings(), warm=False)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="module")
def owner(place: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {(place / 'owner.token').read_text().strip()}"}


@pytest.fixture(scope="module")
def installed(client: TestClient, owner: dict[str, str]) -> dict[str, Any]:
    answer = client.post(ONE, content=packed(), headers={**owner, **ZIP}, params=ACCEPT)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_playbook_of_a_stranger_is_installed_only_with_the_key_that_a_person_compared(
    client: TestClient, owner: dict[str, str], installed: dict[str, Any]
) -> None:
    refused = client.post(ONE, content=packed(), headers={**owner, **ZIP})
    assert refused.status_code == 403
    assert KEY.public in refused.json()["detail"]
    assert installed["signed"] == {"by": DID_OF, "key": KEY.public, "known": "accepted"}
    assert client.post(ONE, content=packed(), headers=ZIP, params=ACCEPT).status_code == 401
    broken = client.post(ONE, content=packed()[:300], headers={**owner, **ZIP}, params=ACCEPT)
    assert (broken.status_code, "archive" in broken.json()["detail"]) == (400, True)
    assert client.post(ONE, content=b"", headers={**owner, **ZIP}).status_code == 400
    assert client.post(ONE, content=b"0" * 8_000_001, headers={**owner, **ZIP}).status_code == 413


def test_what_a_playbook_says_is_read_in_the_readers_language_where_it_has_it(
    client: TestClient, installed: dict[str, Any]
) -> None:
    (one,) = client.get(ONE).json()["playbooks"]
    assert (one["id"], one["names"]) == ("shade", {"ko": "Shade", "en": "Shade", "vi": "Bóng râm"})
    about = client.get(f"{ONE}/shade", params={"lang": "ko"}).json()
    assert (about["lang"], about["guide"]) == ("en", "# Shade")
    assert about["steps"][0]["inputs"] == {"grid": "shade", "threshold": "@low"}
    assert client.get(f"{ONE}/none").status_code == 404


def test_the_package_goes_only_to_those_who_share(
    client: TestClient, owner: dict[str, str], installed: dict[str, Any]
) -> None:
    got = client.get(f"{ONE}/shade", params={"f": "zip"}, headers=owner)
    assert got.headers["content-type"] == "application/zip"
    assert read(got.content).playbook.id == "shade"
    assert client.get(f"{ONE}/shade", params={"f": "zip"}).status_code == 401


def test_what_the_twin_lacks_is_listed_by_layer_column_unit_and_process(
    client: TestClient, owner: dict[str, str]
) -> None:
    needs = """
[[needs]]
layer = "roads"
shape = "features"
geometry = "Polygon"
least = 3
why = "lines"
[needs.columns]
name = ""
width_m = "m"
[[needs]]
layer = "weather"
shape = "grid"
why = "no reason"
[[needs]]
layer = "vaults"
shape = "features"
why = "a layer that nobody may see is not there"
[[needs]]
layer = "buildings"
shape = "features"
why = "heights"
[needs.columns]
height_m = "cm"
[[steps]]
id = "old"
process = "along"
versions = ["0"]
[steps.inputs]
gird = "shade"
[[steps]]
id = "gone"
process = "flood"
[[thresholds]]"""
    text = TEXT.replace('id = "shade"', 'id = "lacking"', 1).replace("[[thresholds]]", needs, 1)
    assert client.post(ONE, content=packed(text), headers={**owner, **ZIP}, params=ACCEPT).status_code == 201
    told = client.get(f"{ONE}/lacking/missing").json()
    assert not told["complete"]
    assert [(one["what"], one["name"]) for one in told["missing"]] == [
        ("version", "along 1"), ("input", "along.gird"), ("process", "flood"), ("geometry", "roads"), ("rows", "roads"),
        ("column", "roads.width_m"), ("shape", "weather"), ("layer", "vaults"), ("unit", "buildings.height_m"),
    ]  # fmt: skip
    seen = client.get(f"{ONE}/lacking/missing", headers=owner).json()
    assert "vaults" not in {one["name"] for one in seen["missing"]}
    run = client.post(f"{ONE}/lacking/run")
    assert (run.status_code, "lacks" in run.json()["detail"]) == (409, True)
    assert client.delete(f"{ONE}/lacking").status_code == 401
    assert client.delete(f"{ONE}/lacking", headers=owner).status_code == 204
    assert client.get(f"{ONE}/lacking").status_code == 404


def test_an_older_package_is_replaced_and_its_bytes_go(
    client: TestClient, owner: dict[str, str], place: Path
) -> None:
    for value in ("2", "7"):
        text = TEXT.replace('id = "shade"', 'id = "twice"', 1).replace("value = 2", f"value = {value}")
        assert (
            client.post(ONE, content=packed(text), headers={**owner, **ZIP}, params=ACCEPT).status_code == 201
        )
    assert len(list((place / "playbooks" / "twice").iterdir())) == 1
    assert client.get(f"{ONE}/twice").json()["thresholds"][0]["value"] == 7.0


@pytest.mark.slow
def test_a_run_is_a_job_whose_steps_are_jobs_and_whose_answer_is_a_layer(
    app: FastAPI, client: TestClient, installed: dict[str, Any]
) -> None:
    assert client.post(f"{ONE}/shade/run", json={"thresholds": {"high": 1}}).status_code == 400
    with here([one.twin for one in app.state.open.shelf.twins.values()], tasks()):
        asked = client.post(f"{ONE}/shade/run", json={"thresholds": {"low": 300}})
        assert asked.status_code == 201, asked.text
        job = asked.headers["location"]
        for _ in range(1500):
            status = client.get(job).json()
            if status["status"] not in ("accepted", "running"):
                break
            time.sleep(0.02)
    assert (status["status"], status["kind"], status["processID"]) == ("successful", "playbook", "shade"), (
        status
    )
    told = client.get(f"{job}/results").json()
    (step,) = told["steps"]
    assert client.get(f"/twins/one/jobs/{step['job']}").json()["processID"] == "along"
    assert step["inputs"]["threshold"] == 300.0
    assert told["thresholds"][0]["changed"] is True
    layer = client.get(f"/twins/one/collections/{told['answer']['layer']}/items").json()
    assert layer["numberMatched"] == told["summary"]["count"] == 2


def test_a_twin_that_signed_a_playbook_itself_needs_nobodys_word(
    client: TestClient, owner: dict[str, str], place: Path
) -> None:
    from twintown.trust.keys import signing_key

    did = client.get("/twins/one/did.json").json()["id"]
    raw = pack(
        files(TEXT.replace('id = "shade"', 'id = "own"', 1)),
        signing_key(place),
        did,
        {"ko": "하나", "en": "One"},
        AT,
    )
    answer = client.post(ONE, content=raw, headers={**owner, **ZIP})
    assert (answer.status_code, answer.json()["signed"]["known"]) == (201, "here")
