"""Who the other cities are: what the two files say, and which keys follow from those that were pinned."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twintown.ground.errors import BadSettings, NotFound
from twintown.trust.grades import Grade
from twintown.trust.keys import Key
from twintown.trust.peer_keys import joined
from twintown.trust.peers import FILE, Peer, parse_peers, peer_of, peers_of

A, B, C = (Key.of(bytes([i]) * 32).public for i in (1, 2, 3))
ICHEON = "https://icheon.example/twins/icheon"


def twin(directory: Path, **peers: Any) -> Any:
    return SimpleNamespace(directory=directory, description=SimpleNamespace(peers=parse_peers(peers)))


def test_an_address_is_enough_for_a_name() -> None:
    peer = Peer.of("icheon", ICHEON)
    assert (peer.did, peer.pinned, peer.grade) == ("did:web:icheon.example:twins:icheon", False, Grade.O)


@pytest.mark.parametrize(
    "said",
    [
        7, "icheon", "https://icheon.example", "https://u:p@icheon.example/twins/a", "https://a/twins/", "https:///twins/a",
        {"address": ICHEON, "key": A}, {"address": ICHEON, "keys": A}, {"address": ICHEON, "keys": ["z6Mk"]},
        {"address": ICHEON, "country": "Korea"}, {"address": ICHEON, "grade": "X"}, {"address": ICHEON, "did": "did:key:z"},
        {"keys": [A]}, {"address": ICHEON + "?a=1"},
    ],
)  # fmt: skip
def test_a_peer_that_cannot_be_used_is_refused(said: Any) -> None:
    with pytest.raises(BadSettings, match=r"peers\.icheon"):
        Peer.of("icheon", said)


def test_two_peers_cannot_be_one_city() -> None:
    with pytest.raises(BadSettings, match="two peers"):
        parse_peers({"icheon": ICHEON, "again": ICHEON})


def test_what_was_pinned_beside_counts_as_long_as_the_officer_says_nothing_else(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f'[peers.icheon]\naddress = "{ICHEON}"\nkeys = ["{A}"]\n')
    assert peer_of(twin(tmp_path), "icheon").keys == (A,)
    lent = peer_of(
        twin(tmp_path, icheon={"address": ICHEON, "grade": "S"}), "did:web:icheon.example:twins:icheon"
    )
    assert (lent.keys, lent.grade) == ((A,), Grade.S)
    own = twin(tmp_path, icheon={"address": ICHEON, "keys": [B]})
    assert peer_of(own, "icheon").keys == (B,)
    moved = twin(tmp_path, icheon="https://new.example/twins/icheon")
    assert not peer_of(moved, "icheon").pinned
    renamed = twin(tmp_path, other={"address": ICHEON, "keys": [C]})
    assert [(one.id, one.keys) for one in peers_of(renamed)] == [("other", (C,))]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    assert peers_of(twin(tmp_path)) == ()
    with pytest.raises(NotFound):
        peer_of(twin(tmp_path), "icheon")
    (tmp_path / FILE).write_text(f'[peers.icheon]\naddress = "{ICHEON}"\n')
    assert len(peers_of(twin(tmp_path))) == 1
    (tmp_path / FILE).write_text("[peers.icheon\n")
    with pytest.raises(BadSettings, match="TOML"):
        peers_of(twin(tmp_path))


def test_keys_follow_from_pinned_ones_only() -> None:
    peer = Peer.of("icheon", {"address": ICHEON, "keys": [A]})
    at = "2026-11-22T10:00:00+00:00"
    rows = [
        {"public": A, "by": "", "retired": at},
        {"public": B, "by": A, "revoked": at},
        {"public": C, "by": "z6MkNobody"},
    ]
    known = {one.public: one for one in joined(peer, rows)}
    assert set(known) == {A, B}
    assert known[A].retired is not None and known[B].revoked is not None
    assert [one.public for one in joined(Peer.of("icheon", {"address": ICHEON, "keys": [C]}), rows)] == [C]
