"""Three cities, one of them abroad: each deals with each, in its own language and by its own clock, and nobody stands between.

The third is Ho Chi Minh City, from a configuration only; everything that stands in it is invented.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flows.cities import City, towns_of
from tests.flows.conftest import HAMLET

from twintown.build.run import build
from twintown.exchange.playbook_package import folder_files, pack
from twintown.trust.keys import signing_key

pytestmark = pytest.mark.slow
SEOUL, ICHEON, SAIGON = "tower", "hamlet", "saigon"
STREET_SUN = HAMLET.parents[1] / "playbooks" / "street-sun"
UNTIL = "2027-06-30T17:00:00Z"  # midnight in Vietnam, two in the morning in Korea
TERMS: dict[str, Any] = {
    "assets": ["layer:roads"], "purposes": ["road-safety"], "until": UNTIL, "no_resharing": False,
    "attribution": "Thành phố Hồ Chí Minh (giả định)",
}  # fmt: skip


@pytest.fixture(scope="module")
def cities(towns: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, City]]:
    here = tmp_path_factory.mktemp("three")
    folders = {}
    for id, built in zip((SEOUL, ICHEON), towns, strict=True):
        folders[id] = Path(shutil.copytree(built, here / id))
    folders[SAIGON] = Path(shutil.copytree(HAMLET / "saigon", here / SAIGON))
    build(folders[SAIGON], show=False)
    with towns_of(folders, {SEOUL: "KR", ICHEON: "KR", SAIGON: "VN"}) as found:
        yield found


@pytest.fixture(scope="module")
def offer(cities: dict[str, City]) -> dict[str, Any]:
    """Saigon offers its streets to every peer that it has."""
    found: dict[str, Any] = cities[SAIGON].ask(
        "POST", "/offers", 201, json={"terms": TERMS, "author": "Nguyễn Văn A"}
    )
    assert found["state"] == "offered", found
    return found


def agreed(
    consumer: City, provider: City, offer: dict[str, Any], counter: dict[str, Any] | None = None
) -> str:
    """A whole negotiation: asked for (or countered), agreed, verified and put in force; the agreement's id."""
    asked = {
        "peer": provider.id,
        "dataset": offer["dataset"],
        "offer": offer["id"],
        **({"terms": counter} if counter else {}),
    }
    pid = consumer.ask("POST", "/negotiations", 201, json=asked)["pid"]
    theirs = provider.wait(
        "/negotiations",
        lambda found: any(
            one["peer"] == consumer.did and one["state"] == "REQUESTED" for one in found["negotiations"]
        ),
    )
    (mine,) = (
        one for one in theirs["negotiations"] if one["peer"] == consumer.did and one["state"] == "REQUESTED"
    )
    provider.ask("POST", f"/negotiations/{mine['pid']}/agree", json={"author": "provider"})
    done = consumer.wait(f"/negotiations/{pid}", lambda found: found["state"] == "FINALIZED")
    provider.wait(f"/negotiations/{mine['pid']}", lambda found: found["state"] == "FINALIZED")
    return str(done["agreement"])


@pytest.fixture(scope="module")
def agreements(cities: dict[str, City], offer: dict[str, Any]) -> dict[str, str]:
    """One offer, two agreements: both Korean cities take it, Icheon for less."""
    return {
        SEOUL: agreed(cities[SEOUL], cities[SAIGON], offer),
        ICHEON: agreed(cities[ICHEON], cities[SAIGON], offer, {**TERMS, "until": "2026-12-31T17:00:00Z"}),
    }


def test_the_third_city_is_made_from_a_configuration_and_speaks_its_own_language(
    cities: dict[str, City],
) -> None:
    about = cities[SAIGON].ask("GET", "")
    assert about["names"]["vi"] == "Thành phố Hồ Chí Minh (giả định)"
    assert about["time_zone"] == "Asia/Ho_Chi_Minh"
    assert {one["id"] for one in cities[SAIGON].ask("GET", "/peers")["peers"]} == {SEOUL, ICHEON}


def test_one_offer_becomes_two_agreements_that_say_different_things(
    cities: dict[str, City], agreements: dict[str, str]
) -> None:
    mine = {one["id"]: one for one in cities[SAIGON].ask("GET", "/agreements")["agreements"]}
    assert set(mine) == set(agreements.values())
    assert {mine[id]["peer_id"]: mine[id]["until"] for id in mine} == {
        SEOUL: "2027-06-30T17:00:00Z", ICHEON: "2026-12-31T17:00:00Z",
    }  # fmt: skip
    for id in agreements.values():
        assert [one["good"] for one in mine[id]["signatures"]] == [True, True]
    for name, id in agreements.items():
        theirs = cities[name].ask("GET", f"/agreements/{id}")
        assert (theirs["digest"], theirs["role"]) == (mine[id]["digest"], "consumer")


def test_the_contract_reads_in_vietnamese_and_its_times_are_those_of_who_reads_it(
    cities: dict[str, City], agreements: dict[str, str]
) -> None:
    path = f"/agreements/{agreements[SEOUL]}/contract"
    here = cities[SAIGON].ask("GET", path, params={"lang": "vi", "f": "text"})
    assert "Thành phố Hồ Chí Minh (giả định)" in here
    assert "00:00 (UTC+07)" in here
    assert "1 tháng 7 năm 2027" in here
    assert "Đường" in here  # what the layer is called at home
    there = cities[SEOUL].ask("GET", path, params={"lang": "ko", "f": "text"})
    assert "2027년 7월 1일 02:00 (UTC+09)" in there
    assert "02:00 (UTC+09)" in cities[SEOUL].ask("GET", path, params={"lang": "vi", "f": "text"})


def test_every_ledger_is_cosigned_by_the_two_others(
    cities: dict[str, City], agreements: dict[str, str]
) -> None:
    for city in cities.values():
        others = set(cities) - {city.id}
        proof = city.wait(
            "/ledger/proof?entry=0",
            lambda found, others=others: (
                {one["peer"] for one in found["cosignatures"] if one["good"]} == others
            ),
        )
        assert proof["size"] >= 1


def test_two_cities_agree_without_the_third(cities: dict[str, City], agreements: dict[str, str]) -> None:
    seoul, icheon, saigon = cities[SEOUL], cities[ICHEON], cities[SAIGON]
    terms = {
        "assets": ["layer:carparks"],
        "purposes": ["urban-planning"],
        "attribution": "공공데이터포털 data.go.kr",
    }
    offer = seoul.ask("POST", "/offers", 201, json={"assignee": ICHEON, "terms": terms})
    assert offer["state"] == "offered", offer
    agreed(icheon, seoul, offer)
    assert len(saigon.ask("GET", "/agreements")["agreements"]) == 2
    seen = saigon.ask("GET", f"/peers/{SEOUL}/catalogue")
    assert offer["dataset"] not in str(seen)


def test_a_partner_reads_the_layer_through_its_own_server_and_sees_whose_it_is(
    cities: dict[str, City], agreements: dict[str, str]
) -> None:
    for name, id in agreements.items():
        cities[name].wait(
            "/partners",
            lambda found, id=id: any(
                one["agreement"] == id and one["transfer"] == "STARTED" for one in found["partners"]
            ),
        )
        door = f"/partners/{id}/collections"
        roads = cities[name].ask("GET", f"{door}/roads/items", headers={"Twintown-Purpose": "road-safety"})
        assert {one["properties"]["name"] for one in roads["features"]} == {
            "Đường Giả Định 1",
            "Đường Giả Định 2",
        }
        lon, lat = roads["features"][0]["geometry"]["coordinates"][0]
        assert 106.69 < lon < 106.71 and 10.77 < lat < 10.78
        cities[name].ask("GET", f"{door}/buildings/items", 403)


def test_a_playbook_travels_by_an_agreement_and_runs_on_the_layers_of_who_gets_it(
    cities: dict[str, City],
) -> None:
    seoul, saigon = cities[SEOUL], cities[SAIGON]
    raw = pack(folder_files(STREET_SUN), signing_key(seoul.folder), seoul.did, {"ko": "탑", "en": "Tower"})
    seoul.ask("POST", "/playbooks", 201, content=raw, headers={"Content-Type": "application/zip"})
    terms = {"assets": ["playbook:street-sun"], "purposes": ["road-safety"]}
    offer = seoul.ask("POST", "/offers", 201, json={"assignee": SAIGON, "terms": terms})
    assert offer["state"] == "offered", offer
    id = agreed(saigon, seoul, offer)
    saigon.wait(
        "/partners",
        lambda found: any(
            one["agreement"] == id and one["transfer"] == "STARTED" for one in found["partners"]
        ),
    )
    got = saigon.raw("GET", f"/partners/{id}/playbooks/street-sun?f=zip")
    assert got == raw
    about = saigon.ask("POST", "/playbooks", 201, content=got, headers={"Content-Type": "application/zip"})
    assert (about["signed"]["known"], about["origin"]) == ("peer", seoul.did)
    assert saigon.ask("GET", "/playbooks/street-sun?lang=vi")["guide"].startswith("# Nắng")
    assert saigon.ask("GET", "/playbooks/street-sun/missing")["complete"]
    job = saigon.ask("POST", "/playbooks/street-sun/run", 201)["jobID"]
    done = saigon.wait(f"/jobs/{job}", lambda found: found["status"] not in ("accepted", "running"), 120)
    assert done["status"] == "successful", done
    told = saigon.ask("GET", f"/jobs/{job}/results")
    numbers = {one["id"]: one["value"] for one in told["summary"]["numbers"]}
    assert numbers["streets-m"] == 720.0
    assert 0 < numbers["shaded-m"] < 720.0  # north of a tower of 90 m
    assert told["summary"]["worst"][0]["label"] == "Đường Giả Định 1"


def test_the_red_button_ends_one_agreement_and_leaves_the_other(
    cities: dict[str, City], agreements: dict[str, str]
) -> None:
    saigon, seoul, icheon = cities[SAIGON], cities[SEOUL], cities[ICHEON]
    saigon.ask(
        "POST",
        f"/agreements/{agreements[SEOUL]}/suspension",
        json={"why": "Kiểm tra dữ liệu", "author": "Nguyễn Văn A"},
    )
    held = seoul.wait(f"/agreements/{agreements[SEOUL]}", lambda found: found["state"] == "suspended")
    assert held["change"]["why"] == "Kiểm tra dữ liệu"
    seoul.ask("GET", f"/partners/{agreements[SEOUL]}/collections/roads/items", 403)
    assert icheon.ask("GET", f"/agreements/{agreements[ICHEON]}")["state"] == "active"
    assert icheon.ask("GET", f"/partners/{agreements[ICHEON]}/collections/roads/items")["numberMatched"] == 2
