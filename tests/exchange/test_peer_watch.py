"""How a twin keeps an eye on its peers, and how twins that are served together learn to know each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from twintown.exchange import peer_watch
from twintown.exchange.acquaint import acquaint
from twintown.ground.errors import BadData, NotFound, StorageFailed
from twintown.jobs.manifest import identity
from twintown.store.tables import open_tables, sqlite_url
from twintown.trust import peer_file
from twintown.trust.grades import Grade
from twintown.trust.keyring import rotate
from twintown.trust.keys import signing_key
from twintown.trust.peer_keys import keys_of
from twintown.trust.peer_rows import AT_ONCE, OFTEN, SOON, sight, wish
from twintown.trust.peers import peer_of, peers_of, read_peers
from twintown.twin.layers import Twin

HAMLET = Path(__file__).parents[1] / "hamlet" / "icheon" / "twintown.toml"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
URL = "http://127.0.0.1:8000"


def make(directory: Path, name: str) -> Twin:
    directory.mkdir()
    described = HAMLET.read_text(encoding="utf-8").replace('id = "hamlet"', f'id = "{name}"', 1)
    (directory / "twintown.toml").write_text(described, encoding="utf-8")
    open_tables(sqlite_url(directory / "state.db"), name, read_only=False)
    return Twin.open(directory)


@pytest.fixture
def twins(tmp_path: Path) -> tuple[Twin, Twin]:
    made = make(tmp_path / "a", "jamsil"), make(tmp_path / "b", "icheon")
    acquaint([twin.directory for twin in made], URL)
    return made


def test_twins_that_are_served_together_pin_each_other(twins: tuple[Twin, Twin]) -> None:
    jamsil, icheon = twins
    (known,) = peers_of(jamsil)
    assert (known.id, known.address, known.grade) == ("icheon", f"{URL}/twins/icheon", Grade.S)
    assert known.keys == (signing_key(icheon.directory).public,)
    assert known.did == identity(icheon, URL)["id"]


def test_another_port_takes_the_place_of_the_last_one(twins: tuple[Twin, Twin]) -> None:
    acquaint([twin.directory for twin in twins], "http://127.0.0.1:8001")
    assert [one.address for one in peers_of(twins[0])] == ["http://127.0.0.1:8001/twins/icheon"]


def test_what_is_pinned_already_is_not_written_again(twins: tuple[Twin, Twin]) -> None:
    file = twins[0].directory / "peers.toml"
    before = file.stat().st_ino
    acquaint([twin.directory for twin in twins], URL)
    assert file.stat().st_ino == before
    assert not peer_file.pin(twins[0].directory, *peers_of(twins[0]))


def test_a_peer_that_is_unpinned_is_forgotten(twins: tuple[Twin, Twin]) -> None:
    peer_file.unpin(twins[0].directory, "icheon")
    assert read_peers(twins[0].directory) == {}
    with pytest.raises(NotFound):
        peer_file.unpin(twins[0].directory, "icheon")


def test_a_rotation_is_followed_when_the_peer_is_looked_at(twins: tuple[Twin, Twin]) -> None:
    jamsil, icheon = twins
    peer = peer_of(jamsil, "icheon")
    new = rotate(icheon.writing(), NOW)
    assert [one.public for one in keys_of(jamsil)(peer.did)] == list(peer.keys)
    seen = peer_watch.look(jamsil, peer, NOW, lambda _: identity(icheon, URL))
    assert seen.state == "reached" and seen.said["doubts"] == []
    old, present = keys_of(jamsil)(peer.did)
    assert (present.public, present.retired) == (new.public, None) and old.retired == NOW


def test_a_silent_or_strange_peer_keeps_the_keys_that_were_known(twins: tuple[Twin, Twin]) -> None:
    jamsil, icheon = twins
    peer = peer_of(jamsil, "icheon")
    rotate(icheon.writing(), NOW)
    peer_watch.look(jamsil, peer, NOW, lambda _: identity(icheon, URL))

    def silent(_: Any) -> Any:
        raise StorageFailed("icheon does not answer")

    assert peer_watch.look(jamsil, peer, NOW, silent).state == "silent"
    assert peer_watch.look(jamsil, peer, NOW, lambda _: {"id": "did:web:other"}).state == "strange"
    assert peer_watch.look(jamsil, peer, NOW, lambda _: [1]).state == "strange"
    assert len(keys_of(jamsil)(peer.did)) == 2


def test_nobody_is_known_who_was_not_pinned(twins: tuple[Twin, Twin]) -> None:
    assert keys_of(twins[0])("did:web:stranger.example") == ()
    with pytest.raises(NotFound):
        peer_of(twins[0], "stranger")


def test_a_peer_is_looked_at_when_it_is_time(twins: tuple[Twin, Twin]) -> None:
    jamsil, icheon = twins
    peer = peer_of(jamsil, "icheon")
    assert sight(jamsil.tables, peer.did).due(NOW)
    peer_watch.look(jamsil, peer, NOW, lambda _: identity(icheon, URL))
    seen = sight(jamsil.tables, peer.did)
    assert not seen.due(NOW + OFTEN - timedelta(seconds=1)) and seen.due(NOW + OFTEN)
    tables = jamsil.writing().tables
    assert not wish(tables, peer, NOW)  # it was looked at just now
    assert wish(tables, peer, NOW + AT_ONCE) and not wish(tables, peer, NOW + AT_ONCE)
    assert sight(tables, peer.did).due(NOW + AT_ONCE)

    def silent(_: Any) -> Any:
        raise StorageFailed("icheon does not answer")

    peer_watch.look(jamsil, peer, NOW, silent)
    assert sight(tables, peer.did).due(NOW + SOON)


def test_keys_are_pinned_from_an_address_only_if_the_document_is_the_peers(
    twins: tuple[Twin, Twin], monkeypatch: pytest.MonkeyPatch
) -> None:
    jamsil, icheon = twins
    peer = peer_of(jamsil, "icheon")
    monkeypatch.setattr(peer_watch, "fetch", lambda *_: identity(icheon, URL))
    assert peer_watch.present_keys(peer) == list(peer.keys)
    monkeypatch.setattr(peer_watch, "fetch", lambda *_: identity(jamsil, URL))
    with pytest.raises(BadData):
        peer_watch.present_keys(peer)
