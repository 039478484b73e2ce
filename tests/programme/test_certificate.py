"""What a certificate says of a lot, and everything by which it does not hold, each by its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.api.conftest import write_twin
from tests.programme.lots import MAKER, ROW, lots, put, with_desk

from twintown.ground.errors import BadInput, BadParameter, NotFound
from twintown.programme import certificate_rows, certificates
from twintown.programme.certificate import Certifying, Lot, Maker, Words, content, ends, until_of
from twintown.programme.certificate_check import Seen, check
from twintown.store.engine import writing
from twintown.trust import credential, keyring, status_list
from twintown.trust.checkpoints import origin_of
from twintown.trust.did import KnownKey, did_of
from twintown.trust.digital_link import LotLink
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.keys import new_key
from twintown.trust.ledger_known import ledger_of
from twintown.trust.ledger_proof import Opened, prove
from twintown.trust.ledger_tree import grow
from twintown.trust.policy import Resource, decide
from twintown.twin.layers import Twin

pytestmark = pytest.mark.slow  # twins and servers: the quick tests have two minutes

URL = "http://127.0.0.1:8000"
NOW = datetime.now(UTC).replace(microsecond=0)
GRANT = decide(LOCAL_OWNER, "share", Resource("small"))
BY = Certifying(
    did_of("small", URL), "본부 / Headquarters", f"{URL}/twins/small", ZoneInfo("Asia/Seoul"), "KR"
)


def lot(**other: Any) -> Lot:
    return Lot.of("icn-1", {**ROW, **other}, (127.4, 37.2))


def said(one: Lot) -> dict[str, Any]:
    maker = Maker("https://x.example/p-1", ("부발 작목반", "Bubal growers"))
    words = Words({"ko": "쌀", "en": "Rice"}, {"5": {"ko": "대두", "en": "soybeans"}})
    entry = status_list.entry(f"{BY.address}/status-lists/sl-1", 3)
    return content("ct-1", one, maker, BY, words, entry, NOW, ends(one, BY.zone))


def test_it_says_what_the_row_says_with_the_names_of_the_transparency_protocol() -> None:
    whole = said(lot(allergens="5"))
    subject, product = whole["credentialSubject"], whole["credentialSubject"]["product"]
    assert whole["@context"][:2] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://test.uncefact.org/vocabulary/untp/dpp/0.6.0/",
    ]
    assert whole["type"] == ["DigitalProductPassport", "VerifiableCredential"]
    assert product["id"] == subject["id"] == f"{BY.address}/01/02900000000018/10/ICN-2027-01"
    assert (product["batchNumber"], product["countryOfProduction"], product["productionDate"]) == (
        "ICN-2027-01",
        "KR",
        "2026-10-01",
    )
    assert product["dimensions"]["weight"] == {"type": ["Measure"], "value": 1200.0, "unit": "KGM"}
    assert subject["quantity"] == {"value": 1200.0, "error": 60.0, "unit": "KGM", "source": "assumed"}
    assert subject["allergens"] == [{"code": "5", "names": {"ko": "대두", "en": "soybeans"}}]
    assert subject["town"] == {"ko": "부발읍", "en": "Bubal-eup", "lon": 127.4, "lat": 37.2}
    assert subject["lot"]["numberCirculates"] == "restricted"


def test_what_is_assumed_is_said_to_be_and_no_conformity_is_claimed_for_it() -> None:
    assert said(lot(source="assumed"))["credentialSubject"]["conformityClaim"] == []
    assert said(lot(source="who knows"))["credentialSubject"]["quantity"]["source"] == "assumed"
    claim = said(lot(source="measured"))["credentialSubject"]["conformityClaim"][0]
    assert claim["conformance"] is True and "measured" in claim["description"]


def test_it_holds_until_the_lot_is_over_in_the_citys_own_zone() -> None:
    assert ends(lot(until="2027-09-30"), BY.zone) == datetime(2027, 9, 30, 14, 59, 59, tzinfo=UTC)
    keeps = lot(**{"from": "2027-09-01", "until": "2027-09-10", "shelf_life_d": 90})
    assert ends(keeps, BY.zone) == datetime(2027, 11, 30, 14, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "value"),
    [("state", "failed"), ("state", "recalled"), ("quantity_kg", 0), ("quantity_kg", -5.0), ("quantity_kg", "many"), ("gtin", ""),
     ("gtin", "02900000000019"), ("batch", ""), ("batch", "쌀"), ("from", "soon"), ("until", "2020-01-01"), ("product", "")],
)  # fmt: skip
def test_a_row_that_nothing_can_be_certified_of_is_named(column: str, value: Any) -> None:
    with pytest.raises(BadParameter) as refused:
        lot(**{column: value})
    assert refused.value.name == column


@pytest.mark.parametrize("text", ["2020-01-01T00:00:00Z", "tomorrow", "2030-01-01T00:00:00"])
def test_an_end_that_is_none_or_over_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        until_of(text, NOW)


# -- with a twin ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    made = with_desk(write_twin(tmp_path_factory.mktemp("certified") / "small"))
    put(made, "producers", {"p-1": MAKER})
    lots(made, 12)
    return made


def issue(twin: Twin, *wanted: str) -> certificate_rows.Kept:
    return certificates.issue(twin, BY, GRANT, wanted, {"name": "Kim"}, datetime.now(UTC)).made[0]


def seen(twin: Twin, one: certificate_rows.Kept, **other: Any) -> Seen:
    grow(ledger_of(twin, URL), datetime.now(UTC))
    opened = Opened.of(prove(ledger_of(twin, URL), one.ledger), certificate_rows.entry_of(twin.tables, one))
    keys = [key.known for key in keyring.own_keys(twin)]
    whole = {
        "did": BY.did, "keys": keys, "link": LotLink(BY.address, one.gtin, one.batch), "entry": opened,
        "status": certificates.signed_list(twin, BY, one.list, datetime.now(UTC)), "origin": origin_of(BY.address), **other,
    }  # fmt: skip
    return Seen(**whole)


def why(twin: Twin, one: certificate_rows.Kept, now: datetime | None = None, **other: Any) -> tuple[str, str]:
    found = check(one.jwt, seen(twin, one, **other), now or datetime.now(UTC))
    return found.state, found.why


def test_it_holds_and_each_way_in_which_it_would_not_has_a_name(twin: Twin) -> None:
    one = issue(twin, "icn-rice-00000")
    assert why(twin, one) == ("good", "")
    stranger = KnownKey(new_key().public)
    assert why(twin, one, did="did:web:fake.example") == ("bad", "unknown-issuer")
    assert why(twin, one, keys=[]) == ("bad", "unknown-issuer")
    assert why(twin, one, keys=[stranger]) == ("bad", "forged")
    assert why(twin, one, link=LotLink(BY.address, one.gtin, "OTHER")) == ("bad", "other-lot")
    assert why(twin, one, now=one.until + timedelta(seconds=1)) == ("bad", "expired")
    assert why(twin, one, now=one.issued - timedelta(days=1)) == ("bad", "not-yet-valid")
    assert why(twin, one, status="") == ("unknown", "status-unknown")
    assert why(twin, one, entry=None) == ("unknown", "ledger-unknown")
    assert why(twin, one, now=datetime.now(UTC) + timedelta(days=2)) == ("unknown", "status-old")
    assert check("hello", seen(twin, one), NOW).why == "forged"


def test_the_entry_of_another_certificate_does_not_vouch_for_it(twin: Twin) -> None:
    one, other = issue(twin, "icn-rice-00001"), issue(twin, "icn-rice-00002")
    assert why(twin, one, entry=seen(twin, other).entry) == ("bad", "not-in-ledger")


def test_a_revoked_one_is_named_and_its_neighbours_are_not(twin: Twin) -> None:
    one, other = issue(twin, "icn-rice-00003"), issue(twin, "icn-rice-00004")
    with writing(twin.tables.engine) as connection:
        certificate_rows.revoke_in(connection, twin.tables, one.lot, "why not", datetime.now(UTC))
    assert why(twin, one) == ("bad", "revoked")
    assert why(twin, other) == ("good", "")
    old = certificates.signed_list(twin, BY, one.list, datetime.now(UTC))
    assert why(twin, one, status=old, now=datetime.now(UTC) + timedelta(days=5)) == ("bad", "revoked")
    again = issue(twin, "icn-rice-00003")
    assert again.id != one.id and why(twin, again) == ("good", "")


def test_places_in_the_list_are_drawn_by_chance_and_never_twice(twin: Twin) -> None:
    made = certificates.issue(
        twin, BY, GRANT, ["icn-rice-00005", "icn-rice-00006", "icn-rice-00007"], {}, datetime.now(UTC)
    ).made
    places = [one.place for one in made]
    assert len(set(places)) == 3 and max(places) - min(places) > 3
    listed = certificate_rows.listed(twin.tables)
    assert len({(one.list, one.place) for one in listed}) == len(listed)


def test_a_rotated_key_still_vouches_for_what_it_signed_and_the_next_signs_the_list(twin: Twin) -> None:
    one = issue(twin, "icn-rice-00008")
    keyring.rotate(twin, datetime.now(UTC) + timedelta(seconds=1))
    assert why(twin, one) == ("good", "")
    after = issue(twin, "icn-rice-00009")
    assert credential.read(after.jwt).key != credential.read(one.jwt).key
    assert why(twin, after) == ("good", "")


def test_no_two_lots_are_certified_under_the_same_bag_whoever_wrote_them(tmp_path: Path) -> None:
    twin = with_desk(write_twin(tmp_path / "small"))
    put(twin, "lots", {name: {**ROW, "batch": "ICN-1"} for name in ("a", "b")})
    first = certificates.issue(twin, BY, GRANT, None, {"name": "Kim"}, datetime.now(UTC))
    assert [one.lot for one in first.made] == ["a"]
    assert [lot for lot, why in first.refused if "same GTIN" in why] == ["b"]
    put(twin, "lots", {"a": {**ROW, "batch": "ICN-1", "state": "failed"}})  # its bags are about all the same
    again = certificates.issue(twin, BY, GRANT, ["b"], {"name": "Kim"}, datetime.now(UTC))
    assert again.made == () and "lot a" in again.refused[0][1]


@pytest.mark.parametrize("state", ["recalled", "failed"])
def test_a_lot_that_is_recalled_or_fails_while_it_is_certified_gets_no_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    twin = with_desk(write_twin(tmp_path / "small"))
    lots(twin, 2)
    real, raced = certificates._keep, []

    def slow(*given: Any) -> Any:
        if not raced:
            raced.append(1)
            put(twin, "lots", {"icn-rice-00000": {**ROW, "batch": "ICN-00000", "state": state}})
        return real(*given)

    monkeypatch.setattr(certificates, "_keep", slow)
    done = certificates.issue(twin, BY, GRANT, None, {"name": "Kim"}, datetime.now(UTC))
    assert [one.lot for one in done.made] == ["icn-rice-00001"]
    assert [lot for lot, _ in done.refused] == ["icn-rice-00000"]
    assert certificate_rows.listed(twin.tables, "icn-rice-00000") == []


def test_two_officers_at_once_certify_a_lot_once(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    real, raced = certificates._keep, []

    def slow(*given: Any) -> Any:
        if not raced:
            raced.append(1)
            certificates.issue(
                twin, BY, GRANT, ["icn-rice-00010"], {"name": "the quicker"}, datetime.now(UTC)
            )
        return real(*given)

    monkeypatch.setattr(certificates, "_keep", slow)
    done = certificates.issue(
        twin, BY, GRANT, ["icn-rice-00010", "icn-rice-00011"], {"name": "the slower"}, datetime.now(UTC)
    )
    assert [one.lot for one in done.made] == ["icn-rice-00011"]
    assert [lot for lot, _ in done.refused] == ["icn-rice-00010"]
    assert len(certificate_rows.listed(twin.tables, "icn-rice-00010")) == 1


def test_a_lot_that_is_over_and_a_layer_that_is_not_there_are_named(twin: Twin, tmp_path: Path) -> None:
    put(twin, "lots", {"old": {**ROW, "from": "2020-01-01", "until": "2020-02-01", "batch": "OLD"}})
    done = certificates.issue(twin, BY, GRANT, ["old"], {}, datetime.now(UTC))
    assert done.made == () and "over" in done.refused[0][1]
    bare = Twin.open(write_twin(tmp_path / "small"), read_only=False)
    with pytest.raises(NotFound):
        certificates.issue(bare, BY, GRANT, None, {}, datetime.now(UTC))
