"""Certificates over the wire: issued once a lot, checked by whoever holds a bag, named where they do not hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from tests.api.conftest import TestClient, write_twin
from tests.programme.lots import MAKER, lots, put, with_desk

from twintown.app import create_app
from twintown.settings import Settings
from twintown.trust.credential import read
from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow  # twins and servers: the quick tests have two minutes

URL = "http://127.0.0.1:8000"
T = "/twins/small"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_twin(tmp_path_factory.mktemp("bags") / "small")
    make_token(folder)
    twin = with_desk(folder)
    put(twin, "producers", {"p-1": MAKER})
    lots(twin, 6, source="stated")
    return folder


@pytest.fixture(scope="module")
def app(folder: Path, dist: Path) -> FastAPI:
    (dist / "proof.html").write_text("<!doctype html><title>proof</title>")
    made = create_app([folder], Settings(web=dist, public_url=URL), warm=False)
    made.state.handshake().background = False
    return made


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=URL, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="module")
def officer(folder: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {(folder / 'owner.token').read_text().strip()}"}


def issue(client: TestClient, officer: dict[str, str], lot: str) -> str:
    """A certificate of the lot; its id."""
    body = {"lots": [lot], "author": "Kim"}
    done = client.post(f"{T}/certificates", json=body, headers=officer)
    assert done.status_code == 201, done.text
    found = done.json()
    if not found["issued"]:
        return str(client.get(f"{T}/certificates?lot={lot}").json()["certificates"][0]["id"])
    return str(found["issued"][0]["id"])


def test_a_lot_is_certified_once_and_a_second_time_is_refused_by_name(
    client: TestClient, officer: dict[str, str]
) -> None:
    body = {"lots": ["icn-rice-00000", "nothing"], "author": "Kim"}
    first = client.post(f"{T}/certificates", json=body, headers=officer).json()
    assert [one["lot"] for one in first["issued"]] == ["icn-rice-00000"]
    assert first["refused"] == [{"lot": "nothing", "why": "there is no such lot"}]
    again = client.post(f"{T}/certificates", json=body, headers=officer).json()
    assert again["issued"] == []
    assert first["issued"][0]["id"] in again["refused"][-1]["why"]
    entry = client.get(f"{T}/ledger/entries?kind=certificate", headers=officer).json()["entries"][0]
    assert entry["record"]["digest"] == first["issued"][0]["digest"]


def test_who_may_not_share_issues_nothing(client: TestClient) -> None:
    assert client.post(f"{T}/certificates", json={"lots": "all"}).status_code == 401


def test_a_certificate_is_a_signed_token_by_default_and_json_that_envelops_it(
    client: TestClient, officer: dict[str, str]
) -> None:
    id = issue(client, officer, "icn-rice-00001")
    plain = client.get(f"{T}/certificates/{id}")
    assert plain.headers["content-type"] == "application/vc+jwt"
    assert read(plain.text).issuer == "did:web:127.0.0.1%3A8000:twins:small"
    told = client.get(f"{T}/certificates/{id}", headers={"Accept": "application/json"}).json()
    assert told["enveloped"]["id"] == f"data:application/vc+jwt,{plain.text}"
    assert (
        told["credential"]["credentialSubject"]["product"]["producedByParty"]["name"]
        == "부발 작목반 / Bubal growers"
    )
    assert client.get(f"{T}/certificates/nothing").status_code == 404


def test_what_is_stated_is_claimed_to_conform_to_its_grade(
    client: TestClient, officer: dict[str, str]
) -> None:
    id = issue(client, officer, "icn-rice-00001")
    said = read(client.get(f"{T}/certificates/{id}").text).body["credentialSubject"]
    assert [one["conformance"] for one in said["conformityClaim"]] == [True]


def test_the_check_names_what_it_looked_at_and_the_ledger_when_it_has_it(
    client: TestClient, officer: dict[str, str], app: FastAPI
) -> None:
    id = issue(client, officer, "icn-rice-00002")
    before = client.get(f"{T}/certificates/{id}/status").json()
    assert (before["state"], before["why"]) == ("unknown", "ledger-unknown")
    sequence(app)
    found = client.get(f"{T}/certificates/{id}/status").json()
    assert found["state"] == "good", found
    assert [one["of"] for one in found["checks"]] == [
        "issuer",
        "signature",
        "dates",
        "lot",
        "status",
        "ledger",
    ]
    other = client.get(
        f"{T}/certificates/{id}/status", params={"link": f"{URL}{T}/01/02900000000025/10/ICN-00002"}
    )
    assert (other.json()["state"], other.json()["why"]) == ("bad", "other-lot")


def sequence(app: FastAPI) -> None:
    """What the keeper does: the ledger's tree grows to its last entry."""
    from datetime import UTC, datetime

    from twintown.trust.ledger_known import ledger_of
    from twintown.trust.ledger_tree import grow

    grow(ledger_of(app.state.open.shelf.get("small").twin.writing(), URL), datetime.now(UTC))


def test_the_code_on_a_bag_leads_to_the_page_the_certificate_and_the_links(
    client: TestClient, officer: dict[str, str]
) -> None:
    id = issue(client, officer, "icn-rice-00003")
    bag = client.get(f"{T}/01/02900000000018/10/ICN-00003").json()
    assert bag["certificate"]["id"] == id
    assert bag["restricted"] is True
    assert client.get(bag["status_list"].removeprefix(URL)).headers["content-type"] == "application/vc+jwt"
    link = bag["link"].removeprefix(URL)
    page = client.get(link, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html") and "proof" in page.text
    assert "Accept" in page.headers["vary"]
    assert client.get(link, headers={"Accept": "application/vc+jwt"}).text == bag["credential"]
    links = client.get(link, headers={"Accept": "application/linkset+json"}).json()["linkset"][0]
    assert links["anchor"] == bag["link"]
    assert {one["hreflang"][0] for one in links["https://ref.gs1.org/voc/pip"]} == {"ko", "en", "vi"}
    assert client.get(f"{link}?linkType=linkset").headers["content-type"] == "application/linkset+json"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("01/02900000000019/10/ICN-00003", 400),
        ("01/02900000000018/10/ICN 00003", 400),
        ("01/02900000000018/10/NONE", 404),
    ],
)
def test_a_code_that_names_no_lot_is_refused(client: TestClient, path: str, status: int) -> None:
    assert client.get(f"{T}/{path}").status_code == status


def test_labels_are_printed_for_certified_lots_only(client: TestClient, officer: dict[str, str]) -> None:
    issue(client, officer, "icn-rice-00004")
    page = client.get(f"{T}/labels?lots=icn-rice-00004&lang=ko")
    assert page.status_code == 200 and page.text.count("<article>") == 1
    assert "부발읍" in page.text and "<svg" in page.text and "제한 유통 번호" in page.text
    assert "script" not in page.headers["content-security-policy"]
    assert client.get(f"{T}/labels?lots=icn-rice-00005").status_code == 404
    code = client.get(f"{T}/certificates/{issue(client, officer, 'icn-rice-00004')}/qr.svg")
    assert code.headers["content-type"] == "image/svg+xml" and "<svg" in code.text


def test_until_lies_ahead_and_has_a_zone(client: TestClient, officer: dict[str, str]) -> None:
    for until in ("2020-01-01T00:00:00Z", "2030-01-01T00:00:00"):
        body = {"lots": "all", "until": until}
        assert client.post(f"{T}/certificates", json=body, headers=officer).status_code == 400
    assert json.loads(client.get(f"{T}/certificates?limit=1").text)["certificates"]
