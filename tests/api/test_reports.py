"""Reports of a plan: asked for, made, shown with what is true today, signed; on the small twin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from twintown.app import create_app
from twintown.jobs import manifest, results
from twintown.jobs.queue import Queue
from twintown.jobs.work import Work, perform
from twintown.scenario import reporting
from twintown.settings import Settings
from twintown.trust import proof
from twintown.trust.identity import make_token
from twintown.trust.policy import Resource, decide
from twintown.twin.layers import Twin

from .conftest import TestClient, X, Y, write_twin

PLACE = reporting.Place("http://127.0.0.1:8000", None)
REPORTS, SCENARIOS = "/twins/small/reports", "/twins/small/scenarios"


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    directory = write_twin(tmp_path_factory.mktemp("reports") / "small")
    about = directory / "twintown.toml"
    about.write_text(about.read_text("utf-8") + '\n[access]\nplan = "anyone"\n', "utf-8")
    make_token(directory)
    return Twin.open(directory, read_only=False)


@pytest.fixture(scope="module")
def app(twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app([twin.directory], Settings(), warm=False)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


def slab(x: float, name: str = "new/0000000a") -> dict[str, Any]:
    corners = [[x, Y - 30], [x + 40, Y - 30], [x + 40, Y - 20], [x, Y - 20]]
    return {
        "op": "add",
        "object": name,
        "outline": corners,
        "height_m": 30.0,
        "name": "새 동",
        "function": "housing",
    }


def planned(client: TestClient, name: str, x: float) -> str:
    made = client.post(SCENARIOS, json={"name": name, "author": "김하늘"})
    assert made.status_code == 201, made.text
    id = str(made.json()["id"])
    sent = {"edits": [slab(x)], "seen": made.json()["revision"], "author": "김하늘"}
    written = client.post(f"{SCENARIOS}/{id}/edits", json=sent)
    assert written.status_code in (200, 201), written.text
    return id


@pytest.fixture(scope="module")
def plan(client: TestClient) -> str:
    return planned(client, "한 안", X + 5)


@pytest.fixture(scope="module")
def made(twin: Twin, client: TestClient) -> dict[str, Any]:
    """A report of two variants, made."""
    first, second = planned(client, "A안 <b>", X + 5), planned(client, "B안", X - 60)
    view = {
        "name": "길에서",
        "lon": 127.0963,
        "lat": 37.5105,
        "height_m": 60,
        "heading_deg": 30,
        "pitch_deg": -20,
    }
    asked = client.post(REPORTS, json={"scenario": first, "with": second, "viewpoints": [view], "lang": "ko"})
    assert asked.status_code == 201, asked.text
    work_on(twin, asked.json()["jobID"])
    return {
        "id": asked.json()["jobID"],
        "first": first,
        "second": second,
        "location": asked.headers["location"],
    }


def work_on(twin: Twin, id: str) -> None:
    queue = Queue(twin.tables)
    job = queue.claim("test", 60.0, id)
    assert job is not None
    grant = decide(results.subject_of(job.subject), "run", Resource("small"))
    perform(lambda work: reporting.make(work, PLACE), Work(twin, job, grant, lambda *_: None))


@pytest.mark.slow
def test_a_report_shows_both_variants_with_plans_pictures_numbers_and_seal(
    made: dict[str, Any], client: TestClient
) -> None:
    page = client.get(f"{REPORTS}/{made['id']}")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert page.headers["content-language"] == "ko"
    text = page.text
    assert "A안 &lt;b&gt;" in text and "<b>A" not in text  # what people type is text
    assert text.count("data:image/png") == 3 and text.count("data:image/svg+xml") >= 8
    assert "did:web:127.0.0.1%3A8000:twins:small" in text and "sha256:" in text
    assert "확인되지 않은 이름" in text and "법적 판단이 아닙니다" in text
    assert not re.search(r"(?:src|href)=\"(?!data:|http://testserver/)", text)  # nothing from elsewhere
    assert (
        "script" not in page.headers["content-security-policy"]
        and "default-src 'none'" in page.headers["content-security-policy"]
    )


@pytest.mark.slow
def test_the_signed_document_covers_the_pages_that_are_kept(
    made: dict[str, Any], client: TestClient, twin: Twin
) -> None:
    from twintown.ground.provenance import digest

    signed = client.get(f"{REPORTS}/{made['id']}", params={"f": "json"})
    assert signed.headers["content-type"].startswith("application/vc")
    document = signed.json()
    assert proof.check(document, manifest.identity(twin, PLACE.public_url)) == ()
    kept = twin.blobs.get(f"reports/{made['id']}/report.html")
    assert document["credentialSubject"]["files"]["report.html"] == digest(kept)
    assert [one["name"] for one in document["credentialSubject"]["scenarios"]] == ["A안 <b>", "B안"]
    document["credentialSubject"]["digest"] = "sha256:" + "0" * 64
    assert proof.check(document, manifest.identity(twin, PLACE.public_url))


@pytest.mark.slow
def test_a_report_says_when_its_plan_has_changed_and_a_comment_is_no_change(
    made: dict[str, Any], client: TestClient, twin: Twin
) -> None:
    assert "state same" in client.get(f"{REPORTS}/{made['id']}").text
    here = f"{SCENARIOS}/{made['second']}"
    assert client.post(f"{here}/comments", json={"text": "좋습니다", "author": "이"}).status_code in (
        200,
        201,
    )
    assert "state same" in client.get(f"{REPORTS}/{made['id']}").text
    assert client.patch(here, json={"name": "B안 고침", "author": "이"}).status_code == 200
    text = client.get(f"{REPORTS}/{made['id']}").text
    assert "state changed" in text and "계획안이 바뀌었습니다" in text
    listed = client.get(REPORTS).json()["reports"]
    assert [one["id"] for one in listed] == [made["id"]] and listed[0]["changed"] is True


def test_a_report_of_somebody_else_is_not_there(client: TestClient, twin: Twin, plan: str) -> None:
    owner = {"Authorization": f"Bearer {(twin.directory / 'owner.token').read_text().strip()}"}
    asked = client.post(REPORTS, json={"scenario": plan, "lang": "en"}, headers=owner)
    id = asked.json()["jobID"]
    assert client.get(f"{REPORTS}/{id}").status_code == 404
    waiting = client.get(f"{REPORTS}/{id}", headers=owner)  # nobody made it yet
    assert waiting.status_code == 404 and "no such report" in waiting.text


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"scenario": "nowhere"}, "nowhere"),
        ({"scenario": "SELF@99"}, "scenario"),
        ({"scenario": "SELF", "lang": "fr"}, "lang"),
        ({"scenario": "SELF", "time": "25:00"}, "time"),
        ({"scenario": "SELF", "jobs": ["nothing"]}, "nothing"),
        (
            {
                "scenario": "SELF",
                "viewpoints": [{"lon": 127, "lat": 37.5, "height_m": 0, "heading_deg": 0, "pitch_deg": 0}],
            },
            "height_m",
        ),
        ({}, "scenario"),
    ],
)
def test_what_cannot_be_reported_is_named(
    client: TestClient, plan: str, body: dict[str, Any], named: str
) -> None:
    sent = {
        key: value.replace("SELF", plan) if isinstance(value, str) else value for key, value in body.items()
    }
    answer = client.post(REPORTS, json=sent)
    assert answer.status_code in (400, 404) and named in answer.text


@pytest.mark.slow
def test_the_pdf_is_tagged_and_its_words_are_text(
    made: dict[str, Any], client: TestClient, twin: Twin
) -> None:
    data = client.get(f"{REPORTS}/{made['id']}", params={"f": "pdf"})
    if data.status_code == 405:
        assert "Hangul" in data.text
        pytest.skip("no font with Hangul is here")
    assert data.content[:5] == b"%PDF-" and b"/MarkInfo" in data.content
    assert Path(twin.directory, "reports", made["id"], "report.pdf").read_bytes() == data.content
