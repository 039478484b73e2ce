from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from twintown.app import create_app
from twintown.settings import Settings
from twintown.store.engine import writing
from twintown.trust.checkpoints import log_keys, read_checkpoint, witness_keys
from twintown.trust.identity import make_token
from twintown.trust.keys import signing_key
from twintown.trust.ledger import record_many_in
from twintown.trust.ledger_keeping import ask
from twintown.trust.ledger_known import good_keys, ledger_of
from twintown.trust.ledger_tree import grow
from twintown.trust.notes import Note, verified
from twintown.trust.peers import peer_of
from twintown.trust.tlog import included, leaf_hash
from twintown.twin.layers import Twin

from .conftest import DESCRIPTION, TestClient

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
URL = "http://127.0.0.1:8000"
RECORD = {"agreement": "urn:uuid:a1", "why": "the mayor said so"}


def write(directory: Path, name: str, peer: str) -> Twin:
    """A twin without layers that has pinned the other one."""
    directory.mkdir()
    (directory / "twintown.toml").write_text(DESCRIPTION.format(id=name), encoding="utf-8")
    make_token(directory)
    key = signing_key(directory.parent / peer if (directory.parent / peer).is_dir() else directory)
    text = f'[peers.{peer}]\naddress = "{URL}/twins/{peer}"\nkeys = ["{key.public}"]\n'
    (directory / "peers.toml").write_text(text)
    return Twin.open(directory, read_only=False)


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    root = tmp_path_factory.mktemp("ledgers")
    seoul = write(root / "seoul", "seoul", "icheon")
    icheon = write(root / "icheon", "icheon", "seoul")
    key = signing_key(root / "icheon").public
    (root / "seoul" / "peers.toml").write_text(
        f'[peers.icheon]\naddress = "{URL}/twins/icheon"\nkeys = ["{key}"]\n'
    )
    with writing(seoul.tables.engine) as connection:
        many = [("offer", {"n": n}) for n in range(258)] + [("suspension", RECORD)]
        record_many_in(connection, seoul.tables, many, NOW)
        record_many_in(connection, seoul.tables, [("agreement", {"id": "urn:uuid:a1"})], NOW)
    app = create_app([root / "seoul", root / "icheon"], Settings(), warm=False)
    with TestClient(app, raise_server_exceptions=False) as client:
        ledger = ledger_of(seoul, URL)
        grow(ledger, NOW)
        icheon_as_peer = peer_of(seoul, "icheon")

        def post(_: object, body: bytes) -> tuple[int, str, str]:
            said = client.post("/twins/icheon/ledger/add-checkpoint", content=body)
            return said.status_code, said.headers["content-type"].partition(";")[0], said.text

        ask(ledger, icheon_as_peer, good_keys(seoul, icheon_as_peer), 0, post, NOW)
        owner = {
            "Authorization": f"Bearer {(root / 'seoul' / 'owner.token').read_text(encoding='ascii').strip()}"
        }
        yield SimpleNamespace(
            client=client, seoul=seoul, icheon=icheon, owner=owner, ledger=ledger, post=post, root=root
        )


def test_the_checkpoint_is_signed_by_the_city_and_cosigned_by_its_peer(cities: SimpleNamespace) -> None:
    answer = cities.client.get("/twins/seoul/ledger/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "max-age=1" in answer.headers["cache-control"]
    note = Note.parse(answer.content)
    origin = "127.0.0.1:8000/twins/seoul/ledger"
    key = signing_key(cities.seoul.directory).public
    assert read_checkpoint(note, log_keys(origin, [key])).size == 260
    peer = witness_keys("127.0.0.1:8000/twins/icheon/ledger", [signing_key(cities.icheon.directory).public])
    assert list(verified(note, peer)) == peer
    assert (cities.seoul.directory / "ledger" / "checkpoint").read_bytes() == answer.content


def test_tiles_are_served_as_the_specification_says_and_full_ones_for_ever(cities: SimpleNamespace) -> None:
    full = cities.client.get("/twins/seoul/ledger/tile/0/000")
    assert (full.status_code, len(full.content), full.headers["content-type"]) == (200, 8192, "application/octet-stream")  # fmt: skip
    assert "immutable" in full.headers["cache-control"]
    part = cities.client.get("/twins/seoul/ledger/tile/0/001.p/4")
    assert len(part.content) == 4 * 32 and "immutable" not in part.headers["cache-control"]
    narrower = cities.client.get("/twins/seoul/ledger/tile/0/001.p/3")
    assert narrower.content == part.content[:96]
    bundle = cities.client.get("/twins/seoul/ledger/tile/entries/000", headers={"Accept-Encoding": "gzip"})
    assert bundle.headers["content-encoding"] == "gzip"
    raw = cities.client.get("/twins/seoul/ledger/tile/entries/000", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in raw.headers and raw.content == bundle.content
    first = raw.content[2 : 2 + int.from_bytes(raw.content[:2], "big")]
    assert leaf_hash(first) == full.content[:32] and b'"kind":"offer"' in first


@pytest.mark.parametrize(
    "path",
    [
        "0/002",
        "0/001",
        "0/001.p/5",
        "1/000.p/2",
        "0/000.p/256",
        "0/0",
        "%2e%2e/checkpoint",
        "entries/001.p/9",
    ],
)
def test_a_tile_that_there_is_not_is_not_found(cities: SimpleNamespace, path: str) -> None:
    assert cities.client.get(f"/twins/seoul/ledger/tile/{path}").status_code == 404


def test_a_proof_holds_for_a_stranger_and_shows_who_has_cosigned(cities: SimpleNamespace) -> None:
    said = cities.client.get("/twins/seoul/ledger/proof?entry=258").json()
    path, root = [base64.b64decode(one) for one in said["proof"]], base64.b64decode(said["root"])
    assert included(leaf_hash(said["leaf"].encode()), 258, said["size"], path, root)
    checkpoint = read_checkpoint(Note.parse(said["checkpoint"]), log_keys(said["origin"], [said["key"]]))
    assert (checkpoint.size, checkpoint.root) == (260, root)
    assert said["key"] == signing_key(cities.seoul.directory).public
    (witness,) = said["cosignatures"]
    assert (witness["peer"], witness["good"]) == ("icheon", True)
    assert datetime.fromisoformat(witness["at"]).tzinfo is not None
    assert "mayor" not in str(said)


def test_an_entry_that_is_not_in_the_tree_is_not_proved(cities: SimpleNamespace) -> None:
    assert cities.client.get("/twins/seoul/ledger/proof?entry=260").status_code == 404
    assert cities.client.get("/twins/seoul/ledger/proof?entry=0&size=100").status_code == 400
    assert cities.client.get("/twins/seoul/ledger/proof?entry=-1").status_code == 400
    assert cities.client.get("/twins/seoul/ledger/proof").status_code == 400


def test_a_twin_in_which_nothing_was_entered_has_no_checkpoint(cities: SimpleNamespace) -> None:
    answer = cities.client.get("/twins/icheon/ledger/checkpoint")
    assert answer.status_code == 404 and "nothing is in the ledger" in answer.json()["detail"]


def test_nobody_but_an_officer_sees_a_record(cities: SimpleNamespace) -> None:
    for path in ("entries", "entries/258"):
        answer = cities.client.get(f"/twins/seoul/ledger/{path}")
        assert answer.status_code == 401 and "mayor" not in answer.text


def test_an_officer_reads_entries_newest_first_by_kind_and_by_agreement(cities: SimpleNamespace) -> None:
    def listed(query: str) -> dict:  # type: ignore[type-arg]
        answer = cities.client.get(f"/twins/seoul/ledger/entries{query}", headers=cities.owner)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] in ("no-store", "private, no-store")
        return answer.json()  # type: ignore[no-any-return]

    page = listed("")
    size = page["size"]  # others may have added some
    assert [one["seq"] for one in page["entries"]] == list(range(size - 1, size - 101, -1))
    assert size >= page["in_tree"] >= 260
    (following,) = page["links"]
    assert listed("?" + following["href"].partition("?")[2])["entries"][0]["seq"] == size - 101
    assert [one["record"] for one in listed("?kind=suspension")["entries"]] == [RECORD]
    assert [one["seq"] for one in listed("?agreement=urn:uuid:a1")["entries"]] == [259, 258]
    assert not listed("?agreement=urn:uuid:none")["entries"]
    assert cities.client.get("/twins/seoul/ledger/entries?limit=0", headers=cities.owner).status_code == 400


def test_an_opened_entry_holds_what_a_stranger_needs(cities: SimpleNamespace) -> None:
    from twintown.trust.ledger import opens
    from twintown.trust.ledger_proof import Opened

    said = cities.client.get("/twins/seoul/ledger/entries/258", headers=cities.owner).json()
    opened = Opened.parse(said)
    assert opened.record == RECORD and opens(opened.leaf, opened.salt, opened.record)
    assert cities.client.get("/twins/seoul/ledger/entries/999", headers=cities.owner).status_code == 404


def test_the_witness_answers_as_the_protocol_says(cities: SimpleNamespace) -> None:
    note = cities.ledger.newest().note.encode().encode()
    for body, status in (
        (b"", 400),
        (b"old 0\n\n" + note, 409),
        (b"old 999\n\n" + note, 400),
        (b"old 0\n" + note, 400),
    ):
        answer = cities.client.post("/twins/icheon/ledger/add-checkpoint", content=body)
        assert answer.status_code == status, answer.text
    last = cities.client.post("/twins/icheon/ledger/add-checkpoint", content=b"old 0\n\n" + note)
    assert (last.text, last.headers["content-type"].partition(";")[0]) == ("260\n", "text/x.tlog.size")
    stranger = cities.client.post("/twins/seoul/ledger/add-checkpoint", content=b"old 0\n\n" + note)
    assert stranger.status_code == 404  # a twin does not witness itself
    huge = cities.client.post("/twins/icheon/ledger/add-checkpoint", content=b"x" * 200_000)
    assert huge.status_code == 413
    packed = gzip.compress(b"old 0\n\n" + note)
    assert cities.client.post("/twins/icheon/ledger/add-checkpoint", content=packed).status_code == 400
