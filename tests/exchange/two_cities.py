"""Two tiny cities on one server that shake hands: their messages go to the application itself, without a network."""

from __future__ import annotations

import atexit
import secrets
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from tests.api.conftest import X, Y, write_twin

from twintown.api.event_matter import EventMatters
from twintown.app import create_app
from twintown.exchange.courier import MOST, WHOLE_S, Answer
from twintown.exchange.handshake import Handshake
from twintown.ground.errors import StorageFailed
from twintown.settings import Settings
from twintown.trust.did import did_of
from twintown.trust.identity import make_token
from twintown.trust.keys import signing_key

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would like another HTTP client than the one we have
    from starlette.testclient import TestClient

URL = "http://127.0.0.1:8000"


@dataclass
class InProcess:
    """Asks the application that it belongs to. `away`: addresses that do not answer."""

    client: TestClient
    away: set[str] = field(default_factory=set)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def ask(
        self, pinned: str, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None,
        most: int = MOST, patience_s: float = WHOLE_S,
    ) -> Answer:  # fmt: skip
        self._look(pinned, method, url, headers)
        said = self.client.request(method, url, content=body, headers=dict(headers or {}))
        kind = said.headers.get("content-type", "").partition(";")[0]
        return Answer(said.status_code, said.content, kind, dict(said.headers))

    @contextmanager
    def stream(
        self, pinned: str, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None, read_s: float = 1.0
    ) -> Iterator[Any]:  # fmt: skip
        self._look(pinned, method, url, headers)
        with self.client.stream(method, url, content=body, headers=dict(headers or {})) as answer:
            yield answer

    def _look(self, pinned: str, method: str, url: str, headers: Mapping[str, str] | None) -> None:
        assert url == pinned or url.startswith(f"{pinned}/"), "a city is asked at its pinned address only"
        if pinned in self.away:
            raise StorageFailed("the peer does not answer (ConnectError)", url)
        self.asked.append((method, url, dict(headers or {})))


@dataclass
class City:
    """One of the two, as its owner sees it."""

    id: str
    directory: Path
    client: TestClient
    app: FastAPI

    @property
    def did(self) -> str:
        return did_of(self.id, URL)

    @property
    def owner(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {(self.directory / 'owner.token').read_text().strip()}"}

    @property
    def twin(self) -> Any:
        return self.app.state.open.shelf.get(self.id).twin

    @property
    def party(self) -> Any:
        return self.app.state.handshake().party(self.twin)

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """What the owner is answered, which must have this status."""
        said = self.client.request(
            method, f"{URL}/twins/{self.id}{path}", json=body, headers={**self.owner, **headers}
        )
        assert said.status_code == status, (said.status_code, said.text[:2000])
        return said.json() if "json" in said.headers.get("content-type", "") else said

    def raw(self, method: str, path: str, **more: Any) -> Any:
        """The whole answer, whatever it is."""
        headers = {**self.owner, **more.pop("headers", {})}
        return self.client.request(method, f"{URL}/twins/{self.id}{path}", headers=headers, **more)

    def records(self, *kinds: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The entries of its ledger, of these kinds."""
        from twintown.store.engine import reading
        from twintown.trust.ledger import entries_in, size_in

        with reading(self.twin.tables.engine) as connection:
            found = entries_in(connection, self.twin.tables, 0, size_in(connection, self.twin.tables))
        return [(one.kind, one.record) for one in found if not kinds or one.kind in kinds]


@dataclass
class Two:
    """Both, and who carries between them."""

    giver: City
    taker: City
    courier: InProcess

    def deliver(self) -> None:
        """Bring everything that waits, until nothing does."""
        from twintown.exchange.delivery import deliver

        while sum(deliver(city.party, self.courier) for city in (self.giver, self.taker)):  # type: ignore[arg-type]
            pass


@contextmanager
def two_cities(folder: Path) -> Iterator[Two]:
    """`small` and `other`, each of which has pinned the other's key and may get what is graded S."""
    names = ("small", "other")
    for name in names:
        make_token(write_twin(folder / name, name).joinpath())
    for name, peer in (names, names[::-1]):
        key = signing_key(folder / peer).public
        lines = [
            f"[peers.{peer}]",
            f'address = "{URL}/twins/{peer}"',
            f'did = "{did_of(peer, URL)}"',
            f'keys = ["{key}"]',
            'grade = "S"',
            'country = "KR"',
        ]
        (folder / name / "peers.toml").write_text("\n".join(lines) + "\n")
    app = create_app([folder / name for name in names], Settings(public_url=URL), warm=False)
    with TestClient(app, base_url=URL, raise_server_exceptions=False) as client:
        handshake = Handshake(URL, background=False, matters=EventMatters())
        courier = InProcess(client)
        handshake.courier = courier  # type: ignore[assignment]
        app.state.handshake = lambda: handshake
        yield Two(*(City(name, folder / name, client, app) for name in names), courier)


_SHARED: list[Two] = []


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    """The same two for all tests of a run that only add to them."""
    if not _SHARED:
        stack = ExitStack()
        _SHARED.append(stack.enter_context(two_cities(tmp_path_factory.mktemp("two"))))
        atexit.register(stack.close)
    two = _SHARED[0]
    two.courier.away.clear()
    return two


ROADS = {"assets": ["layer:roads"], "attribution": "© OpenStreetMap contributors"}


def allow(city: City, verdict: bool = True) -> None:
    """The security officer lets everything go that waits, or nothing."""
    from twintown.exchange import gate
    from twintown.exchange.release_rows import Releases
    from twintown.trust.identity import Subject
    from twintown.trust.policy import Resource, decide

    grant = decide(Subject("owner", city.id), "release", Resource(city.id))
    for one in Releases(city.twin.tables).listed(state="waiting"):
        gate.decide(city.twin, grant, one.id, verdict, "for the test", datetime.now(UTC))


def draft(city: City, at: tuple[float, float] = (100, 0)) -> str:
    """A scenario of the city with one building of its own, 20 by 20 by 30 metres; its id."""
    made = city.ask("POST", "/scenarios", {"name": "새 동", "author": "Kim"}, 201)
    x, y = X + at[0], Y + at[1]
    outline = [[x, y], [x + 20, y], [x + 20, y + 20], [x, y + 20]]
    part = {
        "outline": outline,
        "holes": [],
        "base_m": 0,
        "eave_m": 30,
        "top_m": 30,
        "roof_shape": "flat",
    }
    edit = {"op": "add", "object": f"new/{secrets.token_hex(4)}", "parts": [part]}
    body = {"seen": 0, "edits": [edit], "author": "Kim", "client": "test"}
    city.ask("POST", f"/scenarios/{made['id']}/edits", body, 201)
    return str(made["id"])


def offered(two: Two, terms: Mapping[str, Any], assignee: str | None = None) -> dict[str, Any]:
    """An offer of the giver that its security officer has let go."""
    whom = two.taker.id if assignee is None else assignee
    made = two.giver.ask("POST", "/offers", {"assignee": whom, "terms": dict(terms), "author": "Lee"}, 201)
    allow(two.giver)
    found: dict[str, Any] = next(
        one for one in two.giver.ask("GET", "/offers")["offers"] if one["id"] == made["id"]
    )
    return found


def requested(two: Two, offer: Mapping[str, Any], terms: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """The taker's request for an offer; both names of the negotiation, the giver's first."""
    body = {"peer": two.giver.id, "dataset": offer["dataset"], "offer": offer["id"], "author": "Park"}
    pid = two.taker.ask("POST", "/negotiations", body | ({"terms": terms} if terms else {}), 201)["pid"]
    two.deliver()
    told = two.giver.ask("GET", "/negotiations")["negotiations"]
    theirs = next(one for one in told if (one["role"], one["state"]) == ("provider", "REQUESTED"))
    return theirs["pid"], pid


def agreed(two: Two, terms: Mapping[str, Any] = ROADS) -> str:
    """An agreement in force with its transfer started; its id."""
    ours, theirs = requested(two, offered(two, terms))
    two.giver.ask("POST", f"/negotiations/{ours}/agree", {"author": "Lee"})
    two.deliver()
    deal = two.taker.ask("GET", f"/negotiations/{theirs}")
    assert deal["state"] == "FINALIZED", deal["error"]
    return str(deal["agreement"])
