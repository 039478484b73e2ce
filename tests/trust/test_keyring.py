"""The keys that a twin has signed with: rotation, revocation, what is cut short, and what a peer makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from twintown.ground.errors import BadData, Conflict, NotFound
from twintown.store.engine import reading
from twintown.store.tables import Tables
from twintown.trust import keyring, ledger
from twintown.trust.did import document
from twintown.trust.following import follow
from twintown.trust.keyring import NEXT, finish, own_keys, revoke, rotate
from twintown.trust.keys import KEY_FILE, Key, signing_key, write_key
from twintown.trust.peer_keys import joined
from twintown.trust.peers import Peer
from twintown.trust.proof import check, sign
from twintown.trust.succession import endorse, read

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DID = "did:web:icheon.example:twins:icheon"


@dataclass
class City:
    directory: Path
    tables: Tables

    def document(self) -> dict[str, Any]:
        keys = own_keys(self)
        return document(DID, [one.known for one in keys], "", [one.endorsed for one in keys if one.endorsed])

    def signed(self, at: datetime) -> dict[str, Any]:
        key = signing_key(self.directory)
        return sign({"issuer": DID, "says": "sun"}, key, f"{DID}#{key.public}", at)


@pytest.fixture
def city(tmp_path: Path, rows_of: Callable[[str], Tables]) -> City:
    return City(tmp_path, rows_of("icheon"))


def test_a_twin_that_never_rotated_has_the_one_key_of_its_file(city: City) -> None:
    (only,) = own_keys(city)
    assert (only.public, only.state) == (signing_key(city.directory).public, "present")


def test_a_rotation_makes_a_key_that_the_old_one_signs_for(city: City) -> None:
    old = signing_key(city.directory)
    new = rotate(city, NOW, "yearly", "Kim")
    assert signing_key(city.directory).public == new.public != old.public
    first, second = own_keys(city)
    assert (first.state, first.why, second.state) == ("retired", "yearly", "present")
    assert second.endorsed is not None and read(second.endorsed).previous == old.public
    assert not (city.directory / NEXT).exists()
    assert (city.directory / KEY_FILE).stat().st_mode & 0o077 == 0


def test_what_a_retired_key_signed_before_stands_and_nothing_after(city: City) -> None:
    before, late = city.signed(NOW - timedelta(hours=1)), city.signed(NOW + timedelta(hours=1))
    rotate(city, NOW)
    assert check(before, city.document()) == ()
    assert [one.code for one in check(late, city.document())] == ["retired-key"]
    assert check(city.signed(NOW + timedelta(hours=2)), city.document()) == ()


def test_a_revoked_key_verifies_nothing(city: City) -> None:
    old = signing_key(city.directory).public
    signed = city.signed(NOW - timedelta(hours=1))
    rotate(city, NOW)
    now = revoke(city, old, NOW, "a backup was lost")
    assert now.public == signing_key(city.directory).public
    assert [one.code for one in check(signed, city.document())] == ["revoked-key"]
    revoke(city, old, NOW + timedelta(days=1), "again")  # the first time counts
    assert own_keys(city)[0].revoked == NOW


def test_a_stolen_present_key_has_no_heir_that_it_signed_for(city: City) -> None:
    stolen = signing_key(city.directory).public
    new = revoke(city, stolen, NOW, "the disk was stolen")
    assert new.public != stolen and new.endorsed is None
    assert document(DID, [one.known for one in own_keys(city)])["authentication"] == [f"{DID}#{new.public}"]
    assert [one.state for one in own_keys(city)] == ["revoked", "present"]


def test_a_key_that_the_twin_never_had_cannot_be_revoked(city: City) -> None:
    with pytest.raises(NotFound):
        revoke(city, Key.of(b"\7" * 32).public, NOW, "?")


def test_each_change_of_keys_is_in_the_ledger(city: City) -> None:
    old = signing_key(city.directory).public
    rotate(city, NOW, "yearly", "Kim")
    revoke(city, old, NOW, "lost", "Kim")
    with reading(city.tables.engine) as connection:
        assert ledger.size_in(connection, city.tables) == 2


def test_a_rotation_that_is_killed_before_its_row_stands_never_was(city: City) -> None:
    old = signing_key(city.directory)
    write_key(city.directory / NEXT, Key.of(b"\5" * 32))
    finish(city)
    assert signing_key(city.directory).public == old.public and not (city.directory / NEXT).exists()


def test_a_rotation_that_is_killed_after_its_row_stands_is_finished(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = signing_key(city.directory)
    with monkeypatch.context() as patch:
        patch.setattr(keyring, "_settle", lambda _: None)
        new = rotate(city, NOW)
    assert signing_key(city.directory).public == old.public
    finish(city)
    assert signing_key(city.directory).public == new.public
    assert [one.state for one in own_keys(city)] == ["retired", "present"]


def test_two_cannot_change_the_keys_at_once(city: City) -> None:
    with keyring._alone(city), pytest.raises(Conflict):
        rotate(city, NOW)


# -- what a peer makes of it ---------------------------------------------------------------------------------


def pinned(city: City) -> Peer:
    said = {"address": "https://icheon.example/twins/icheon", "keys": [signing_key(city.directory).public]}
    return Peer.of("icheon", said)


def test_a_peer_follows_from_the_pinned_key_through_several_rotations(city: City) -> None:
    peer = pinned(city)
    rotate(city, NOW)
    newest = rotate(city, NOW + timedelta(days=1))
    followed = follow(peer, (), city.document(), NOW + timedelta(days=2))
    assert followed.doubts == ()
    known = {one.public: one for one in joined(peer, followed.rows)}
    assert len(known) == 3 and known[newest.public].retired is None
    assert known[peer.keys[0]].retired == NOW
    again = follow(peer, followed.rows, city.document(), NOW + timedelta(days=3))
    assert again == followed


def test_a_key_that_nobody_signed_for_is_not_followed(city: City) -> None:
    peer = pinned(city)
    new = revoke(city, peer.keys[0], NOW, "stolen")
    followed = follow(peer, (), city.document(), NOW)
    known = {one.public: one for one in joined(peer, followed.rows)}
    assert new.public not in known and known[peer.keys[0]].revoked == NOW


def test_a_revocation_is_never_undone_by_a_later_document(city: City) -> None:
    peer = pinned(city)
    before = city.document()
    revoke(city, peer.keys[0], NOW, "stolen")
    rows = follow(peer, (), city.document(), NOW).rows
    after = follow(peer, rows, before, NOW + timedelta(days=1)).rows
    assert joined(peer, after)[0].revoked == NOW


def test_a_key_that_is_not_named_any_more_signs_nothing_new(city: City) -> None:
    peer = pinned(city)
    other = document(DID, [Key.of(b"\3" * 32).public])
    (only,) = joined(peer, follow(peer, (), other, NOW).rows)
    assert only.public == peer.keys[0] and only.retired == NOW


def heir(old: Key, new: Key) -> dict[str, Any]:
    return endorse(old, new.public, "icheon", NOW)


def test_a_key_has_one_heir_and_a_revoked_one_has_none() -> None:
    a, b, c = (Key.of(bytes([i]) * 32) for i in (1, 2, 3))
    peer = Peer.of("icheon", {"address": "https://icheon.example/twins/icheon", "keys": [a.public]})
    two = document(DID, [a.public, b.public, c.public], "", [heir(a, b), heir(a, c)])
    followed = follow(peer, (), two, NOW)
    assert {one.public for one in joined(peer, followed.rows)} == {a.public, b.public}
    assert followed.doubts == ("one key names two heirs",)
    later = follow(peer, followed.rows, document(DID, [a.public, c.public], "", [heir(a, c)]), NOW)
    assert c.public not in {one["public"] for one in later.rows}
    dead = document(DID, [], "", [heir(a, b)])
    dead["verificationMethod"] = [{"id": f"{DID}#{a.public}", "revoked": "2026-01-01T00:00:00Z"}]
    assert follow(peer, (), dead, NOW).doubts == ("a revoked key names an heir",)


def test_endorsements_that_are_forged_or_of_strangers_are_not_followed() -> None:
    a, b, thief = (Key.of(bytes([i]) * 32) for i in (1, 2, 3))
    peer = Peer.of("icheon", {"address": "https://icheon.example/twins/icheon", "keys": [a.public]})
    forged = heir(a, b) | {"next": thief.public}
    strange = heir(thief, b)
    renamed = heir(thief, b) | {"previous": a.public}
    for statement in (
        forged,
        strange,
        renamed,
        {},
        7,
        {"previous": a.public},
        {"previous": a.public, "next": "x"},
    ):
        shown = document(DID, [a.public, b.public, thief.public], "", [statement])  # type: ignore[list-item]
        assert {one["public"] for one in follow(peer, (), shown, NOW).rows} == {a.public}


def test_the_document_of_somebody_else_is_refused(city: City) -> None:
    other = replace(pinned(city), did="did:web:other.example:twins:icheon")
    with pytest.raises(BadData, match="somebody else"):
        follow(other, (), city.document(), NOW)


def test_no_secret_is_in_a_row_a_document_or_a_repr(city: City) -> None:
    rotate(city, NOW)
    key = signing_key(city.directory)
    secret = (city.directory / KEY_FILE).read_text().strip()
    shown = json.dumps(city.document()) + repr(own_keys(city)) + repr(key)
    assert secret not in shown
    with reading(city.tables.engine) as connection:
        stored = str(list(connection.exec_driver_sql("SELECT * FROM signing_keys")))
    assert secret not in stored
