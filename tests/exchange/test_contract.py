"""An agreement as a contract: three languages, nothing missing, nothing that is not true."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.exchange.test_agreement import FULL, NOW, PARTIES

from twintown.exchange import agreement
from twintown.exchange.agreement import read
from twintown.exchange.contract import LANGUAGES, Facts, Language, contract, html, text, words
from twintown.exchange.signing import check_signature, digest_of, sign_agreement
from twintown.ground.names import Name
from twintown.trust.keys import Key
from twintown.trust.terms import Asset, Terms

KEYS = {"provider": Key.of(b"p" * 32), "consumer": Key.of(b"c" * 32)}
DIDS = {"provider": PARTIES["assigner"], "consumer": PARTIES["assignee"]}


def _facts(document: dict[str, Any], **more: Any) -> Facts:
    signatures = tuple(
        check_signature(
            document, sign_agreement(document, key, DIDS[role], NOW), role, DIDS[role], [key.public]
        )  # type: ignore[arg-type]
        for role, key in KEYS.items()
    )
    return Facts(
        names={
            DIDS["provider"]: Name("서울 잠실", "Jamsil, Seoul"),
            DIDS["consumer"]: Name("이천시", "Icheon"),
        },
        titles={FULL.assets[0]: Name("건물", "Buildings", (("vi", "Tòa nhà"),))},
        zone="Asia/Seoul",
        digest=digest_of(document),
        signatures=signatures,
        state="active",
        **more,
    )


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_the_three_languages_have_the_same_sentences_with_the_same_places() -> None:
    particles = {"with", "topic"}  # Korean only
    for name, said in words()["en"].items():
        for language in LANGUAGES:
            other = words()[language][name]
            if isinstance(said, dict):
                assert set(other) == set(said), (language, name)
                assert all(other.values())
            elif name != "moment":
                assert _fields(other) - particles == _fields(said), (language, name)
    assert {language: set(these) for language, these in words().items()} == {
        language: set(words()["en"]) for language in LANGUAGES
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_term_of_an_agreement_stands_in_its_contract(language: Language) -> None:
    document = agreement.agreement("urn:uuid:2", FULL, at=NOW, **PARTIES)
    made = contract(read(document), _facts(document, records=(("agreement", 7, NOW),)), language)
    plain, page = text(made), html(made)
    heading = {"ko": "제{n}조 (", "en": "Article {n}. ", "vi": "Điều {n}. "}[language]
    for n in range(1, 13):
        assert f"\n{heading.format(n=n)}" in plain
    said = [
        "127.08",
        "37.52",
        "2.5 m",
        FULL.attribution,
        "sunlight",
        digest_of(document),
        "urn:uuid:2",
        *DIDS.values(),
    ]
    said += [key.public for key in KEYS.values()]
    said += {
        "ko": [
            "2027년 11월 22일 09:00 (UTC+09)",
            "2027년 12월 22일",
            "건물",
            "도시 계획",
            "서울 잠실(이하 “제공 도시”)과 이천시(이하 “이용 도시”)는",
            "협약: 제7번",
        ],
        "en": [
            "22 November 2027, 09:00 (UTC+09)",
            "22 December 2027",
            "Buildings",
            "urban planning",
            "no. 7",
        ],
        "vi": [
            "09:00 (UTC+09) ngày 22 tháng 11 năm 2027",
            "ngày 22 tháng 12 năm 2027",
            "Tòa nhà",
            "quy hoạch đô thị",
            "số 7",
        ],
    }[language]
    for one in said:
        assert one in plain, one
        assert one.replace("&", "&amp;") in page, one
    assert "{" not in plain
    assert not re.search(r"<(script|link|img)|https?://", page)
    assert f'lang="{language}"' in page
    assert not made.draft


@pytest.mark.parametrize("language", LANGUAGES)
def test_terms_that_do_not_limit_say_so_and_claim_nothing(language: Language) -> None:
    document = agreement.agreement("urn:uuid:2", Terms((Asset("layer", "roads"),)), at=NOW, **PARTIES)
    made = contract(read(document), _facts(document), language)
    say = words()[language]
    plain = text(made)
    for name in ("purposes_none", "area_none", "since_none", "finest_none", "resharing_none", "duties_none"):
        assert say[name] in plain
    assert say["until_none"].format(end=10) in plain
    assert say["resharing"] not in plain
    ends = made.articles[9].title
    assert say["end"] in ends, "the article that another one names is that one"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_offer_is_a_draft_that_nobody_has_signed(language: Language) -> None:
    deed = read(agreement.offer("urn:uuid:1", FULL, **PARTIES))
    made = contract(deed, Facts({}, {}, "Asia/Ho_Chi_Minh"), language)
    say = words()[language]
    assert made.draft == say["draft"]
    assert say["unsigned"] in text(made)
    assert say["seal"] not in text(made)
    assert "2027" in text(made)
    assert "07:00 (UTC+07)" in text(made), "midnight in Greenwich is seven there"


def test_a_suspended_agreement_says_who_when_and_why() -> None:
    document = agreement.agreement("urn:uuid:2", FULL, at=NOW, **PARTIES)
    change = {"who": "Icheon", "at": "2026-12-01T00:00:00+00:00", "why": "<b>a leak</b>"}
    facts = replace(_facts(document), state="suspended", change=change)
    made = contract(read(document), facts, "en")
    assert made.state == (
        "suspended",
        "Icheon, 1 December 2026, 09:00 (UTC+09), for this reason: <b>a leak</b>",
    )
    assert "<b>a leak" not in html(made)


def test_a_time_in_a_zone_of_half_an_hour_is_written_whole() -> None:
    deed = read(
        agreement.offer("urn:uuid:1", replace(FULL, until=datetime(2027, 1, 1, tzinfo=UTC)), **PARTIES)
    )
    assert "05:30 (UTC+05:30)" in text(contract(deed, Facts({}, {}, "Asia/Kolkata"), "en"))
