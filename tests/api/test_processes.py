"""Asking processes over HTTP: what is refused, what is waited for, how results come, who sees which job."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.answering import answering, offering
from tests.api.conftest import write_twin

from twintown.api import events, execution
from twintown.app import create_app
from twintown.ground.grid import Grid
from twintown.settings import Settings
from twintown.trust.identity import make_token
from twintown.trust.people import add_person
from twintown.trust.policy import ACTIONS

T = "/twins/small"
RUN = f"{T}/processes/echo/execution"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("processes") / "small")
    make_token(directory)
    return directory


@pytest.fixture(scope="module")
def asked(place: Path) -> Iterator[FastAPI]:
    app = create_app([place], Settings(callbacks="callback.example"), warm=False)
    with offering(), answering(app):
        yield app


@pytest.fixture(scope="module")
def http(asked: FastAPI) -> Iterator[TestClient]:
    with TestClient(asked, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="module")
def mine(place: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {(place / 'owner.token').read_text().strip()}"}


def ask(http: TestClient, message: str, prefer: str = "respond-async", **headers: str) -> Any:
    return http.post(RUN, json={"inputs": {"message": message}}, headers={"Prefer": prefer, **headers})


def until_over(http: TestClient, job: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    for _ in range(400):
        status: dict[str, Any] = http.get(job, headers=headers).json()
        if status["status"] not in ("accepted", "running"):
            return status
        time.sleep(0.02)
    raise AssertionError(status)


BAD: list[tuple[Any, int, str | None]] = [
    ([], 400, "body"),
    ({"input": {}}, 400, "input"),
    ({"inputs": []}, 400, "inputs"),
    ({"inputs": {"mesage": "a"}}, 400, "mesage"),
    ({"inputs": {"message": 7}}, 400, "message"),
    ({"inputs": {"message": "forbidden"}}, 400, "message"),
    ({"inputs": {"pause_s": -1}}, 400, "pause_s"),
    ({"inputs": {"pause_s": 61}}, 400, "pause_s"),
    ({"inputs": {"pause_s": True}}, 400, "pause_s"),
    ({"inputs": {"message": {"href": "https://elsewhere.example/a.json"}}}, 400, "inputs.message.href"),
    ({"inputs": {"message": {"href": "file:///etc/passwd"}}}, 400, "inputs.message.href"),
    ({"inputs": {"message": {"href": 7}}}, 400, "inputs.message.href"),
    ({"outputs": {"ecko": {}}}, 400, "outputs"),
    ({"outputs": {"echo": {"transmissionMode": "pigeon"}}}, 400, "outputs.echo.transmissionMode"),
    ({"outputs": {"echo": {"format": {"mediaType": "image/tiff"}}}}, 400, "outputs"),
    ({"response": "cooked"}, 400, "response"),
    ({"subscriber": {}}, 400, "subscriber.successUri"),
    ({"subscriber": {"successUri": "https://elsewhere.example/"}}, 400, "subscriber.successUri"),
    ({"subscriber": {"successUri": "https://callback.example/", "failedUri": "ftp://callback.example/"}}, 400, "subscriber.failedUri"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "parameter"), BAD)
def test_a_bad_question_is_refused_by_name_before_there_is_a_job(
    http: TestClient, body: Any, status: int, parameter: str | None
) -> None:
    before = len(http.get(f"{T}/jobs?limit=1000").json()["jobs"])
    answer = http.post(RUN, json=body)
    assert (answer.status_code, answer.json().get("parameter")) == (status, parameter), answer.text
    assert len(http.get(f"{T}/jobs?limit=1000").json()["jobs"]) == before


def test_a_process_that_is_not_there_or_cannot_be_asked_here_has_the_type_of_the_standard(
    http: TestClient,
) -> None:
    for process, why in (("nowhere", "no process"), ("absent", "needs the layer 'nowhere'")):
        for answer in (
            http.get(f"{T}/processes/{process}"),
            http.post(f"{T}/processes/{process}/execution", json={}),
        ):
            assert answer.status_code == 404
            assert answer.json()["type"].endswith("/ogcapi-processes-1/1.0/no-such-process")
            assert why in answer.json()["detail"]
    assert "absent" not in [one["id"] for one in http.get(f"{T}/processes").json()["processes"]]


def test_waiting_gives_the_value_and_the_address_of_the_job(http: TestClient) -> None:
    answer = ask(http, "wait", "wait=20")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.json()["features"][0]["properties"]["message"] == "wait"
    job, _, relation = answer.headers["link"].partition(">")
    assert relation == "; rel=monitor"
    assert http.get(job[1:]).json()["status"] == "successful"


def test_who_waits_too_long_is_given_the_address_after_all(
    http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "WAIT_S", 0.05)
    answer = http.post(RUN, json={"inputs": {"message": "long", "pause_s": 0.6}})
    assert answer.status_code == 201
    assert "preference-applied" not in answer.headers
    early = http.get(f"{answer.headers['location']}/results")
    assert early.status_code == 404
    assert early.json()["type"].endswith("/result-not-ready")
    assert until_over(http, answer.headers["location"])["status"] == "successful"


def test_an_input_is_the_same_inline_wrapped_or_by_reference(http: TestClient) -> None:
    digests = set()
    for value in (
        "same",
        {"value": "same"},
        {"value": "same", "mediaType": "text/plain"},
        {"href": "data:,%22same%22"},
    ):
        answer = http.post(RUN, json={"inputs": {"message": value}}, headers={"Prefer": "respond-async"})
        assert answer.status_code == 201, answer.text
        digests.add(answer.json()["question"])
    assert len(digests) == 1


def test_the_same_question_is_answered_at_once_and_afresh_only_when_asked(http: TestClient) -> None:
    ask(http, "twice", "wait=20")
    again = ask(http, "twice")
    assert (again.json()["status"], again.json()["reused"]) == ("successful", True)
    fresh = http.post(
        RUN, json={"inputs": {"message": "twice"}, "fresh": True}, headers={"Prefer": "respond-async"}
    )
    assert not fresh.json()["reused"]
    assert not until_over(http, fresh.headers["location"])["reused"]


def test_every_output_comes_by_value_by_reference_as_document_and_raw(http: TestClient) -> None:
    run = f"{T}/processes/three/execution"
    document = http.post(run, json={"response": "document"}).json()
    grid = Grid.from_cog(base64.b64decode(document["three-grid"]["value"]))
    assert grid.values.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert document["three-grid"]["mediaType"] == "image/tiff; application=geotiff"
    assert document["three-points"]["value"]["features"][0]["properties"]["buildings"] == 2
    assert document["three-hours"]["value"]["ranges"]["sun"]["values"] == [1, 2]
    modes: dict[str, Any] = {
        "three-grid": {"transmissionMode": "reference"},
        "three-points": {"format": {"mediaType": "text/csv"}},
    }
    mixed = http.post(run, json={"response": "document", "outputs": modes}).json()
    assert set(mixed) == set(modes)
    assert mixed["three-points"]["value"].startswith('"id"')
    layer = http.get(mixed["three-grid"]["href"]).json()
    assert (layer["kind"], layer["grid"]["rows"]) == ("grid", 3)
    raw = http.post(run, json={"outputs": modes})
    assert raw.headers["content-type"].startswith("multipart/related; boundary=")
    boundary = raw.headers["content-type"].partition("boundary=")[2]
    parts = raw.content.split(f"--{boundary}".encode())
    assert parts[-1] == b"--\r\n"
    first, second = (part.partition(b"\r\n\r\n") for part in parts[1:3])
    assert b"Content-Location: " + mixed["three-grid"]["href"].encode() in first[0]
    assert first[2].strip() == b""
    assert b"Content-Type: text/csv" in second[0]
    links = http.post(run, json={"outputs": {"three-grid": {"transmissionMode": "reference"}}})
    assert links.status_code == 204
    assert f'<{mixed["three-grid"]["href"]}>; rel="item"; title="three-grid"' in links.headers["link"]
    one = http.post(
        run, json={"outputs": {"three-grid": {"format": {"mediaType": "application/prs.coverage+json"}}}}
    )
    assert one.json()["domain"]["domainType"] == "Grid"


def test_one_output_comes_in_each_of_its_formats(http: TestClient) -> None:
    job = http.post(f"{T}/processes/three/execution", json={}, headers={"Prefer": "respond-async"}).headers[
        "location"
    ]
    until_over(http, job)
    for output, form, kind in (
        ("three-grid", "cog", "image/tiff"), ("three-grid", "covjson", "application/prs.coverage+json"),
        ("three-points", "geojson", "application/geo+json"), ("three-points", "parquet", "application/vnd.apache.parquet"),
        ("three-points", "csv", "text/csv"), ("three-hours", "covjson", "application/prs.coverage+json"),
        ("three-hours", "csv", "text/csv"), ("three-hours", "json", "application/json"),
    ):  # fmt: skip
        answer = http.get(f"{job}/results/{output}?f={form}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(kind)
    assert http.get(f"{job}/results/three-grid?f=csv").json()["parameter"] == "outputs"
    assert http.get(f"{job}/results/four").status_code == 404


def test_a_process_that_raises_is_named_and_others_go_on(http: TestClient) -> None:
    broken = http.post(f"{T}/processes/broken/execution", json={})
    assert broken.status_code == 500
    assert broken.json()["type"] == "urn:twintown:problem:plugin-failed"
    assert "ZeroDivisionError: as expected" in broken.json()["detail"]
    later = http.post(f"{T}/processes/broken/execution", json={}, headers={"Prefer": "respond-async"})
    assert until_over(http, later.headers["location"])["problem"]["status"] == 500
    assert http.get(f"{later.headers['location']}/results").status_code == 500
    assert ask(http, "goes on", "wait=20").status_code == 200


def test_jobs_are_listed_by_state_process_time_and_duration_page_by_page(http: TestClient) -> None:
    for message in ("a", "b", "c"):
        ask(http, f"listed {message}", "wait=20")

    def listed(**wanted: Any) -> list[dict[str, Any]]:
        answer = http.get(f"{T}/jobs", params=wanted)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["jobs"]
        return found

    everything = listed(limit=1000)
    assert [one["jobID"] for one in everything] == sorted((one["jobID"] for one in everything), reverse=True)
    assert {one["status"] for one in listed(status="failed", limit=1000)} == {"failed"}
    assert {one["processID"] for one in listed(processID="echo,broken", limit=1000)} == {"echo", "broken"}
    assert listed(minDuration=3600) == []
    assert len(listed(maxDuration=3600, status="successful", limit=1000)) == len(
        listed(status="successful", limit=1000)
    )
    assert listed(datetime="2001-01-01/2002-01-01") == []
    assert listed(datetime=f"{everything[0]['created']}/..")[-1]["jobID"] == everything[0]["jobID"]
    pages, address = [], f"{T}/jobs?limit=4&type=process"
    while address:
        page = http.get(address).json()
        assert len(page["jobs"]) <= 4
        pages += [one["jobID"] for one in page["jobs"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert pages == [one["jobID"] for one in everything]
    for wrong in (
        "status=done",
        "limit=0",
        "minDuration=-1",
        "type=magic",
        "datetime=yesterday",
        "colour=red",
    ):
        assert http.get(f"{T}/jobs?{wrong}").status_code == 400, wrong


def test_what_a_person_asked_is_theirs_and_the_owners(
    http: TestClient, place: Path, mine: dict[str, str]
) -> None:
    ann = {"Authorization": f"Bearer {add_person(place, 'Ann', 'planner')}"}
    ben = {"Authorization": f"Bearer {add_person(place, 'Ben', 'planner')}"}
    job = ask(http, "Ann's own", **ann).headers["location"]
    assert until_over(http, job, ann)["author"] == "Ann"
    for other in ({}, ben):
        for answer in (
            http.get(job, headers=other),
            http.delete(job, headers=other),
            http.get(f"{job}/results", headers=other),
        ):
            assert answer.status_code == 404
            assert answer.json()["type"].endswith("/no-such-job")
        assert job not in http.get(f"{T}/jobs?limit=1000", headers=other).text
    for allowed in (ann, mine):
        assert http.get(job, headers=allowed).status_code == 200
        assert job in http.get(f"{T}/jobs?limit=1000", headers=allowed).text
    common = ask(http, "anyone's").headers["location"]
    until_over(http, common)
    assert http.delete(common, headers=ann).status_code == 200
    assert http.get(common).json()["status"] == "dismissed"
    assert http.get(f"{common}/results").status_code == 410
    assert http.delete(common).status_code == 410
    me = http.get(f"{T}/me", headers=ann).json()
    assert [me[name] for name in ("kind", "name", "role")] == ["person", "Ann", "planner"]
    assert me["may"] == ["read", "run", "plan"]
    assert http.get(f"{T}/me").json()["may"] == ["read", "run"]
    assert http.get(f"{T}/me", headers=mine).json()["may"] == list(ACTIONS)
    assert http.get(f"{T}/me", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_job_that_runs_is_dismissed(http: TestClient) -> None:
    job = http.post(
        RUN, json={"inputs": {"message": "stop", "pause_s": 30}}, headers={"Prefer": "respond-async"}
    ).headers["location"]
    gone = http.delete(job).json()
    assert (gone["status"], gone["jobID"] in job) == ("dismissed", True)
    assert ask(http, "next please", "wait=20").status_code == 200


def test_changes_are_told_as_they_come_and_go_on_where_one_was_cut_off(http: TestClient) -> None:
    job = http.post(
        RUN, json={"inputs": {"message": "told", "pause_s": 0.4}}, headers={"Prefer": "respond-async"}
    ).headers["location"]
    whole = http.get(f"{job}/events")
    assert whole.headers["content-type"].startswith(events.MEDIA_TYPE)
    found = [json.loads(line[6:]) for line in whole.text.splitlines() if line.startswith("data: ")]
    ids = [int(line[4:]) for line in whole.text.splitlines() if line.startswith("id: ")]
    assert ids == sorted(set(ids))
    assert found[-1]["status"] == "successful"
    assert "waiting" in {one["stage"] for one in found}
    rest = http.get(f"{job}/events", headers={"Last-Event-ID": str(ids[-2])}).text
    assert f"id: {ids[-1]}\n" in rest
    assert f"id: {ids[-2]}\n" not in rest
    assert http.get(f"{job}/events", headers={"Last-Event-ID": "x"}).status_code == 400
    assert http.get(f"{T}/jobs/none/events").json()["type"].endswith("/no-such-job")


def test_too_many_listeners_are_sent_away(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST", 0)
    job = ask(http, "listened to", "wait=20").headers["link"].partition(">")[0][1:]
    answer = http.get(f"{job}/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


@pytest.mark.slow
def test_sixteen_of_anyone_wait_and_no_more_and_a_twin_may_let_only_people_run(tmp_path: Path) -> None:
    directory = write_twin(tmp_path / "small")  # nobody answers here
    ann = {"Authorization": f"Bearer {add_person(directory, 'Ann', 'planner')}"}
    with offering():
        with TestClient(create_app([directory], Settings(), warm=False)) as http:
            statuses = [ask(http, f"flood {number}").status_code for number in range(17)]
            assert statuses == [201] * 16 + [429]
            last = ask(http, "one more")
            assert last.headers["retry-after"]
            assert last.json()["type"] == "urn:twintown:problem:too-many"
            assert ask(http, "Ann's", **ann).status_code == 201
        description = directory / "twintown.toml"
        description.write_text(
            f'{description.read_text(encoding="utf-8")}\n[access]\nrun = "people"\n', encoding="utf-8"
        )
        with TestClient(create_app([directory], Settings(), warm=False)) as http:
            assert ask(http, "anyone's").status_code == 401
            assert ask(http, "Ann's again", **ann).status_code == 201
