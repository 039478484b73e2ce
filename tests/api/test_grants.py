"""A partner computes here: what its question may say, what it gets, what it sees of jobs, and what the book keeps of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.api.answering import answering, offering
from tests.api.conftest import FRAME, X, Y, write_twin
from tests.api.partner import PEER, agree, become, serve_token, tables_of

from twintown.api.book import BOOK
from twintown.app import create_app
from twintown.ground.bounds import Bounds
from twintown.jobs import deputy
from twintown.jobs.queue import Queue
from twintown.settings import Settings
from twintown.store.engine import reading
from twintown.store.schema_shared import ledger_entries, refusals
from twintown.trust import access_log
from twintown.trust import refusals as refused
from twintown.trust.identity import make_token
from twintown.trust.terms import Asset, Terms

T = "/twins/small"
THREE = f"{T}/processes/three/execution"
ECHO = f"{T}/processes/echo/execution"
AREA = FRAME.lonlat_bounds(Bounds(X - 205, Y + 195, X - 190, Y + 205)).as_tuple()
ASSETS = (Asset("process", "three"), Asset("process", "echo"), Asset("process", "along"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("grants") / "small")
    make_token(directory)
    return directory


@pytest.fixture(scope="module")
def app(place: Path) -> Iterator[FastAPI]:
    app = create_app([place], Settings(callbacks="callback.example"), warm=False)
    with offering(), answering(app):
        yield app


@pytest.fixture(scope="module")
def http(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="module")
def peer(place: Path) -> dict[str, str]:
    return agree(place, Terms(ASSETS))


def done(http: TestClient, headers: dict[str, str], to: str = THREE, inputs: Any = None) -> str:
    """The address of a job that is over."""
    made = http.post(to, json={"inputs": inputs or {}}, headers={**headers, "Prefer": "respond-async"})
    assert made.status_code == 201, made.text
    job = made.headers["location"]
    for _ in range(400):
        if http.get(job, headers=headers).json()["status"] not in ("accepted", "running"):
            return str(job)
        time.sleep(0.02)
    raise AssertionError("it does not end")


def code(answer: Any) -> str:
    assert answer.status_code == 403, answer.text
    return str(answer.json()["code"])


def test_a_partner_has_a_process_run_on_what_it_may_not_read_and_gets_the_result_with_its_manifest(
    http: TestClient, peer: dict[str, str]
) -> None:
    assert code(http.get(f"{T}/collections/buildings/items", headers=peer)) == "not-in-agreement"
    job = done(http, peer)
    assert (
        http.get(f"{job}/results/three-points?f=geojson", headers=peer).json()["features"][0]["properties"][
            "buildings"
        ]
        == 2
    )
    assert http.get(f"{job}/manifest", headers=peer).json()["credentialSubject"]["process"]["id"] == "three"
    results = http.get(f"{job}/results", headers=peer)
    assert results.status_code == 200
    assert code(http.get(f"{job}/evidence", headers=peer)) == "not-in-agreement"  # the inputs lie in it


def test_a_result_is_narrowed_like_every_layer(http: TestClient, place: Path) -> None:
    headers = agree(place, Terms(ASSETS, area=AREA, finest_m=2.0))
    job = done(http, headers)
    grid = http.get(f"{job}/results/three-grid?f=covjson", headers=headers).json()
    assert grid["ranges"]["value"]["shape"] == [1, 2]  # 3 × 4 cells of 1 m
    points = http.get(f"{job}/results/three-points?f=geojson", headers=headers)
    assert points.json()["features"] == []  # it lies in the middle of the twin
    assert code(http.get(f"{job}/results/three-hours", headers=headers)) == "outside-area"


def test_the_layer_of_its_own_result_is_open_to_a_partner_and_those_of_others_are_not(
    http: TestClient, place: Path, peer: dict[str, str]
) -> None:
    job = done(http, peer, ECHO, {"message": "mine"})
    (layer,) = (
        one["layer"] for one in Queue(tables_of(place)).get(job.rsplit("/", 1)[1]).results["outputs"].values()
    )  # type: ignore[index]
    assert http.get(f"{T}/collections/{layer}/items", headers=peer).status_code == 200
    assert http.get(f"{T}/collections/{layer}", headers=peer).status_code == 200
    assert layer not in http.get(f"{T}/collections", headers=peer).text
    other = agree(place, Terms(ASSETS))
    assert code(http.get(f"{T}/collections/{layer}/items", headers=other)) == "not-in-agreement"


def test_jobs_of_others_are_not_there_for_a_partner_nor_its_own_for_others(
    http: TestClient, place: Path, peer: dict[str, str]
) -> None:
    theirs = done(http, peer, ECHO, {"message": "partner"})
    anyones = done(http, {}, ECHO, {"message": "anyone"})
    other = agree(place, Terms(ASSETS))
    mine = {"Authorization": f"Bearer {(place / 'owner.token').read_text().strip()}"}
    robot = serve_token(place, ["read", "run"])
    for path in ("", "/results", "/manifest", "/events"):
        assert http.get(f"{anyones}{path}", headers=peer).status_code == 404
        for headers in ({}, other, robot):
            assert http.get(f"{theirs}{path}", headers=headers).status_code == 404
    assert http.delete(anyones, headers=peer).status_code == 404
    assert http.get(theirs, headers=mine).json()["author"] == PEER
    listed = http.get(f"{T}/jobs?limit=1000", headers=peer).json()["jobs"]
    assert theirs.rsplit("/", 1)[1] in {one["jobID"] for one in listed}
    assert {one["author"] for one in listed} == {PEER}
    assert http.get(f"{T}/jobs", headers=other).json()["jobs"] == []


def test_processes_outside_the_agreement_and_processes_that_are_not_there_are_told_alike(
    http: TestClient, peer: dict[str, str]
) -> None:
    listed = {one["id"] for one in http.get(f"{T}/processes", headers=peer).json()["processes"]}
    assert listed == {"three", "echo", "along"}
    for name in ("broken", "sunlight", "no-such-process"):
        assert code(http.get(f"{T}/processes/{name}", headers=peer)) == "not-in-agreement"
        assert code(http.post(f"{T}/processes/{name}/execution", json={}, headers=peer)) == "not-in-agreement"


CONFUSED: list[tuple[str, dict[str, Any]]] = [
    ("three", {"inputs": {"scenario": "01jabc00000000000000000000"}}),
    ("three", {"inputs": {"scenario": "no-such-plan"}}),
    ("echo", {"inputs": {"message": {"href": "https://callback.example/secret.json"}}}),
    ("echo", {"inputs": {"message": {"href": "http://127.0.0.1:8000/twins/small/collections/vaults/items"}}}),
    ("echo", {"inputs": {"message": "a"}, "subscriber": {"successUri": "https://callback.example/hear"}}),
    ("along", {"inputs": {"grid": "shade"}}),
    ("along", {"inputs": {"grid": {"value": "shade"}}}),
    ("along", {"inputs": {"grid": "no-such-grid"}}),
    ("along", {"inputs": {"lines": "vaults"}}),
    ("along", {"inputs": {"lines": ["vaults"]}}),
]


@pytest.mark.parametrize(("process", "body"), CONFUSED)
def test_a_question_cannot_lead_the_process_out_of_the_agreement(
    http: TestClient, peer: dict[str, str], process: str, body: dict[str, Any]
) -> None:
    assert (
        code(http.post(f"{T}/processes/{process}/execution", json=body, headers=peer)) == "not-in-agreement"
    )


def test_a_place_outside_of_the_area_is_refused_in_a_question(http: TestClient, place: Path) -> None:
    headers = agree(place, Terms(ASSETS, area=AREA))
    for numbers in (
        [127.5, 37.5],
        [[127.5, 37.5]],
        [{"points": [[127.5, 37.5, 3]]}],
        [{"lon": 127.5, "lat": 37.5}],
    ):
        answer = http.post(ECHO, json={"inputs": {"numbers": numbers}}, headers=headers)
        assert code(answer) == "outside-area"
    middle = [(AREA[0] + AREA[2]) / 2, (AREA[1] + AREA[3]) / 2]
    assert http.post(ECHO, json={"inputs": {"numbers": middle}}, headers=headers).status_code == 200


def test_an_object_outside_of_the_agreement_is_refused_in_a_question_whether_it_is_there_or_not(
    app: FastAPI, place: Path
) -> None:
    from twintown.api.guard import decided
    from twintown.ground.errors import Denied
    from twintown.processes.view import PROCESS
    from twintown.trust.identity import Subject

    box = FRAME.lonlat_bounds(Bounds(X - 5, Y - 5, X + 40, Y + 35)).as_tuple()
    headers = agree(place, Terms((Asset("process", "view"), Asset("layer", "buildings")), area=box))
    opened = app.state.open
    served = opened.shelf.get("small")
    who = Subject("peer", "small", PEER, agreement=headers["X-Agreement"])
    assert served.standings.standing(who) is not None
    grant = decided(opened, served, who, "run")

    def ask(**inputs: Any) -> None:
        deputy.check(served.twin, grant, PROCESS, inputs, calls=False, plan=False)

    ask(landmarks=["relation/1"], target="relation/1")
    said = set()
    for id in ("way/2", "way/99"):
        for inputs in ({"landmarks": [id]}, {"target": id}):
            with pytest.raises(Denied) as caught:
                ask(**inputs)
            said.add((caught.value.code, caught.value.what))
    assert len(said) == 1


def test_why_a_process_failed_is_not_told_to_a_partner(http: TestClient, place: Path) -> None:
    headers = agree(place, Terms((Asset("process", "broken"),)))
    job = done(http, headers, f"{T}/processes/broken/execution")
    said = http.get(job, headers=headers).json()
    assert said["status"] == "failed"
    assert "as expected" not in json.dumps(said) and "ZeroDivision" not in json.dumps(said)
    assert "as expected" not in http.get(f"{job}/results", headers=headers).text


def test_jobs_of_an_agreement_that_is_over_are_dismissed(http: TestClient, place: Path, app: FastAPI) -> None:
    headers = agree(place, Terms(ASSETS))
    job = http.post(
        ECHO, json={"inputs": {"pause_s": 30}}, headers={**headers, "Prefer": "respond-async"}
    ).headers["location"]
    twin = app.state.open.shelf.get("small").twin
    assert deputy.recall_all(twin, datetime.now(UTC)) == 0
    become(place, headers, "suspended")
    assert deputy.recall_all(twin, datetime.now(UTC)) == 1
    assert Queue(tables_of(place)).get(job.rsplit("/", 1)[1]).state == "dismissed"
    assert deputy.recall_all(twin, datetime.now(UTC)) == 0


def test_a_job_does_not_begin_once_its_agreement_is_suspended(place: Path, app: FastAPI) -> None:
    from twintown.ground.errors import Denied
    from twintown.jobs.queue import new_job
    from twintown.jobs.runner import _grant

    headers = agree(place, Terms(ASSETS, ("planning", "research")))
    who = {
        "kind": "peer",
        "twin": "small",
        "name": PEER,
        "agreement": headers["X-Agreement"],
        "scopes": ["purpose:planning"],
    }
    job = new_job("process", {}, who, process="echo")
    twin = app.state.open.shelf.get("small").twin
    grant = _grant(twin, job)
    assert (grant.layers, grant.area, grant.purpose) == (None, None, "planning")
    with pytest.raises(Denied):
        _grant(twin, new_job("process", {}, who, process="sunlight"))
    become(place, headers, "suspended")
    with pytest.raises(Denied, match="suspended"):
        _grant(twin, job)


def test_a_service_reads_and_runs_as_its_token_says(http: TestClient, place: Path) -> None:
    reader = serve_token(place, ["read"])
    assert http.get(f"{T}/collections/roads/items", headers=reader).status_code == 200
    assert code(http.post(ECHO, json={}, headers=reader)) == "scope"
    assert http.get(f"{T}/me", headers=reader).json()["may"] == ["read"]


def test_a_refusal_is_counted_once_an_hour_and_the_first_goes_into_the_ledger(
    http: TestClient, place: Path
) -> None:
    headers = agree(place, Terms(ASSETS), peer="did:web:busan.example:twins:busan")
    for _ in range(3):
        http.get(f"{T}/collections/vaults/items", headers=headers)
    http.get(f"{T}/collections/vaults", headers={"Authorization": "Bearer nonsense"})
    BOOK.flush()
    tables = tables_of(place)
    with reading(tables.engine) as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(refusals))]
        entered = [
            row.record
            for row in connection.execute(select(ledger_entries).where(ledger_entries.c.kind == "refusal"))
        ]
    (mine,) = (row for row in rows if row["caller"].startswith("did:web:busan"))
    assert (mine["count"], mine["action"], mine["resource"]) == (3, "read", "collections/vaults")
    assert mine["reason"].startswith("not-in-agreement")
    assert [one["caller"] for one in entered].count(mine["caller"]) == 1
    assert any(row["caller"] == "anyone" for row in rows)
    told = [one for one in entered if not one["caller"].startswith("did:")]  # a city's name may hold a host
    assert "127.0.0.1" not in json.dumps(told) and "testclient" not in json.dumps(told)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert refused.close(tables, later) == len(rows)
    assert refused.close(tables, later) == 0
    with reading(tables.engine) as connection:
        counts = [
            row.record.get("count")
            for row in connection.execute(select(ledger_entries).where(ledger_entries.c.kind == "refusal"))
        ]
    assert 3 in counts


def test_who_tries_one_name_after_the_other_fills_no_table(
    http: TestClient, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twintown.api import book

    monkeypatch.setattr(book, "DISTINCT", 5)
    headers = agree(place, Terms(ASSETS), peer="did:web:mallory.example:twins:m")
    for number in range(20):
        http.get(f"{T}/collections/guess-{number}", headers=headers)
    BOOK.flush()
    with reading(tables_of(place).engine) as connection:
        rows = connection.execute(
            select(refusals).where(refusals.c.caller.startswith("did:web:mallory"))
        ).all()
    assert len(rows) <= 6


def test_accesses_of_those_who_are_known_are_kept_here_and_nobody_elses(
    http: TestClient, place: Path, peer: dict[str, str]
) -> None:
    http.get(f"{T}/collections/roads/items?limit=1")
    http.get(f"{T}/collections", headers=peer)
    BOOK.flush()
    lines = [
        json.loads(line)
        for file in (place / "access").glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert any(
        one["caller"] == PEER and one["path"] == f"{T}/collections" and one["status"] == 200 for one in lines
    )
    assert all(one["caller"] != "anyone" for one in lines)
    assert "testclient" not in json.dumps(lines)


def test_an_hour_of_the_access_log_is_entered_once_by_its_root_and_a_changed_line_is_found_out(
    place: Path, tmp_path: Path
) -> None:
    tables = tables_of(place)
    then = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    access_log.append(tmp_path, [access_log.line_of(then, PEER, "read", "/x", 200)] * 3, then)
    assert access_log.close(tmp_path, tables, then + timedelta(minutes=50)) == 0  # the hour is not over
    assert access_log.close(tmp_path, tables, then + timedelta(hours=2)) == 1
    assert access_log.close(tmp_path, tables, then + timedelta(hours=3)) == 0
    with reading(tables.engine) as connection:
        (entry,) = connection.execute(select(ledger_entries).where(ledger_entries.c.kind == "access")).all()
    file, salt = (
        tmp_path / "access/2026-01-02T03.jsonl",
        bytes.fromhex((tmp_path / "access/2026-01-02T03.salt").read_text()),
    )
    found, count = access_log.root_of(file, salt)
    assert (entry.record["root"], entry.record["lines"]) == (found.hex(), count) == (found.hex(), 3)
    file.write_text(file.read_text().replace("/x", "/y", 1))
    assert access_log.root_of(file, salt)[0] != found
    assert file.stat().st_mode & 0o077 == 0
    assert access_log.prune(tmp_path, 30, then + timedelta(days=29)) == 0
    assert access_log.prune(tmp_path, 30, then + timedelta(days=31)) == 2
