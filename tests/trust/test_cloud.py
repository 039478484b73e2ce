"""Where data may lie and whom it may be sent to: the packs, the declared places, the verdicts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twintown.ground.errors import BadSettings, Denied
from twintown.trust import scheme
from twintown.trust.cloud import Cloud, address_of, check_lie, check_send, may_lie, may_send, parse_cloud
from twintown.trust.grades import Grade
from twintown.trust.peers import Peer
from twintown.trust.scheme import packs, read_scheme, scheme_of

SAID = tomllib.loads("""
scheme = "n2sf"
[[places]]
id = "city-hall"
stores = ["files", "database"]
country = "KR"
zone = "s"
[[places]]
id = "vault"
stores = ["s3://vault"]
country = "KR"
zone = "c"
[[places]]
id = "open-part"
stores = ["s3://vault/open", "postgresql://db.example/open"]
country = "US"
zone = "elsewhere"
[[places]]
id = "cloud-abroad"
stores = ["gs://abroad"]
country = "US"
zone = "csap-middle"
""")
CLOUD = parse_cloud(SAID)


@pytest.mark.parametrize(
    ("store", "grade", "code"),
    [
        ("files", Grade.O, "allowed"), ("files", Grade.S, "allowed"), ("files", Grade.C, "zone"),
        ("s3://vault", Grade.C, "allowed"), ("s3://vault/icheon", Grade.C, "allowed"),
        ("s3://vault/open", Grade.S, "zone"), ("s3://vault/open/icheon", Grade.O, "allowed"), ("s3://vault2", Grade.O, "undeclared"),
        ("gs://abroad", Grade.S, "country"), ("gs://abroad", Grade.O, "allowed"),
    ],
)  # fmt: skip
def test_a_grade_lies_where_zone_and_country_may_hold_it(store: str, grade: Grade, code: str) -> None:
    found = may_lie(CLOUD, store, grade)
    assert (found.code, found.allowed) == (code, code == "allowed")
    if code == "allowed":
        check_lie(CLOUD, store, grade, "pipes")
        return
    with pytest.raises(Denied, match="may not be written") as error:
        check_lie(CLOUD, store, grade, "pipes")
    assert error.value.code == "cloud-policy"


def test_where_nothing_is_declared_this_disk_holds_all_and_other_stores_what_is_open() -> None:
    assert may_lie(Cloud(), "files", Grade.C).allowed and may_lie(Cloud(), "s3://any", Grade.O).allowed
    assert not may_lie(Cloud(), "s3://any", Grade.S).allowed


def twin(cloud: Cloud = CLOUD) -> Any:
    return SimpleNamespace(description=SimpleNamespace(cloud=cloud))


def peer(country: str = "KR", grade: str = "S") -> Peer:
    return Peer.of(
        "icheon", {"address": "https://icheon.example/twins/icheon", "country": country, "grade": grade}
    )


@pytest.mark.parametrize(
    ("country", "limit", "grade", "code"),
    [
        ("KR", "S", Grade.S, "allowed"), ("KR", "O", Grade.S, "grade"), ("VN", "S", Grade.S, "country"), ("", "S", Grade.S, "country"),
        ("VN", "O", Grade.O, "allowed"), ("", "O", Grade.O, "allowed"), ("KR", "C", Grade.C, "country"),
    ],
)  # fmt: skip
def test_what_is_sent_goes_by_the_peers_grade_and_country(
    country: str, limit: str, grade: Grade, code: str
) -> None:
    found = may_send(twin(), peer(country, limit), grade)
    assert (found.code, found.allowed) == (code, code == "allowed")
    if not found.allowed:
        with pytest.raises(Denied) as error:
            check_send(twin(), peer(country, limit), grade, "layer:pipes")
        assert error.value.code == "cloud-policy" and "layer:pipes" in str(error.value)
    else:
        check_send(twin(), peer(country, limit), grade, "layer:pipes")


def test_without_a_scheme_the_peers_grade_counts() -> None:
    assert may_send(twin(Cloud()), peer("", "S"), Grade.S).allowed
    assert not may_send(twin(Cloud()), peer("", "O"), Grade.S).allowed


def test_every_pack_can_be_used_and_says_where_it_has_its_rules_from() -> None:
    assert set(packs()) >= {"n2sf", "vn-data"}
    for id in packs():
        pack = scheme_of(id)
        assert pack.id == id and pack.status == "to be confirmed by the security officer"
        assert all(source.publisher and source.date for source in pack.sources)
        assert {one.rank for one in pack.grades} == set(Grade)
        assert any(zone.up_to is Grade.C for zone in pack.zones.values())


def test_another_scheme_has_its_own_words_on_the_three_ranks() -> None:
    pack = scheme_of("vn-data")
    assert (pack.grade(Grade.S).id, pack.grade(Grade.C).id) == ("important", "core")
    places = [{"id": "here", "stores": ["files"], "country": "VN", "zone": "government"}]
    found = may_lie(parse_cloud({"scheme": "vn-data", "places": places}), "files", Grade.S)
    assert found.allowed and "Important data (important)" in found.why


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "other"}, {"scheme": ""}, {"places": [{"id": "a"}]}, {"more": 1},
        {"places": [{"id": "a", "stores": ["files"], "country": "Korea", "zone": "s"}]},
        {"places": [{"id": "a", "stores": ["files"], "country": "KR", "zone": "z"}]},
        {"places": [{"id": "a", "stores": ["disk"], "country": "KR", "zone": "s"}]},
        {"places": [{"id": "a", "stores": [], "country": "KR", "zone": "s"}]},
        {"places": [{"id": "a", "stores": ["postgresql://me:pw@db/x"], "country": "KR", "zone": "s"}]},
        {"places": [{"id": a, "stores": ["files"], "country": "KR", "zone": "s"} for a in "ab"]},
    ],
)  # fmt: skip
def test_places_that_cannot_be_used_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadSettings, match="cloud"):
        parse_cloud({**SAID, **change})


def test_a_rule_without_a_source_makes_no_pack() -> None:
    text = (Path(scheme.__file__).parent / "packs" / "n2sf.toml").read_text(encoding="utf-8")
    for part in ("zones", "grades"):
        said = tomllib.loads(text)
        said[part][0]["sources"] = []
        with pytest.raises(ValueError, match="no source"):
            read_scheme(said)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql+psycopg://me:secret@db.example:5432/twin?sslmode=require", "postgresql://db.example:5432/twin"),
        ("s3://bucket/icheon/", "s3://bucket/icheon"), ("/data/blobs", "file:///data/blobs"), ("sqlite:////data/state.db", "sqlite:////data/state.db"),
    ],
)  # fmt: skip
def test_an_address_says_nothing_of_who_signs_in(url: str, address: str) -> None:
    assert address_of(url) == address
