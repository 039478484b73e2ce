"""What strangers and hurried officers try with events: many at once, absurd numbers, words that would be code elsewhere."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.api.test_events import AT, _event, _made
from tests.api.test_events import app as app
from tests.api.test_events import client as client
from tests.api.test_events import middle as middle

BAD = '<script>alert(1)</script>" onload="x \'\r\nSet-Cookie: a=b'


@pytest.mark.slow
def test_of_many_who_change_an_event_at_once_exactly_one_is_first(
    client: TestClient, middle: tuple[float, float]
) -> None:
    made = _made(client, _event(middle))
    for revision in (1, 2):

        def change(number: int, revision: int = revision) -> int:
            body = {
                "event": _event(middle, about={"ko": f"{number}", "en": f"{number}"}),
                "author": f"o{number}",
            }
            return client.put(
                f"{AT}/{made['id']}", json=body, headers={"If-Match": f'"{revision}"'}
            ).status_code

        with ThreadPoolExecutor(8) as pool:
            assert Counter(pool.map(change, range(8))) == {200: 1, 412: 7}
    assert client.get(f"{AT}/{made['id']}").json()["revision"] == 3


@pytest.mark.parametrize(
    "said",
    [{"title": {"ko": BAD, "en": "x"}}, {"title": {"ko": "\ud800", "en": "x"}}, {"title": {"ko": "a\0b", "en": "x"}},
     {"visitors": {"expected": 2**63, "error": 0, "source": "assumed", "note": ""}},
     {"visitors": {"expected": 1e400, "error": 0, "source": "assumed", "note": ""}},
     {"visitors": {"expected": True, "error": 0, "source": "assumed", "note": ""}},
     {"start": "0001-01-01T00:00:00+14:00"}, {"end": "9999-12-31T23:59:59-14:00"}, {"end": "2029-09-18T19:00:00+09:00"},
     {"programme": [{}] * 501}, {"delegations": [{"id": "a"}] * 401}, {"id": "../../x"}, {"host": "https://evil.example"}],
)  # fmt: skip
def test_absurd_events_are_refused_by_name(
    client: TestClient, middle: tuple[float, float], said: dict[str, Any]
) -> None:
    import json

    raw = json.dumps({"event": _event(middle) | said, "author": "x"}).replace("Infinity", "1e400")
    answer = client.post(AT, content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "id", ["..%2f..%2fetc%2fpasswd", "ls-%00", "ev-0%0d%0aSet-Cookie:%20a=b", "%E2%80%AE", "ev-" + "a" * 37]
)
def test_names_that_lead_elsewhere_lead_nowhere(client: TestClient, id: str) -> None:
    for tail in ("", "/visitors", "/calendar.ics", "/account"):
        answer = client.get(f"{AT}/{id}{tail}", follow_redirects=False)
        assert answer.status_code in (400, 401, 404, 405) and "set-cookie" not in answer.headers


@pytest.mark.slow
def test_an_event_of_four_hundred_days_and_five_hundred_items_is_answered_or_refused(
    client: TestClient, middle: tuple[float, float]
) -> None:
    start, end = "2027-09-18T11:00:00+09:00", "2028-10-20T19:00:00+09:00"
    items = [
        {"id": f"i{at}", "start": start, "end": end, "stage": "", "title": {"ko": "가", "en": "a"}, "performers": [], "section": "",
         "about": {"ko": "나" * 50, "en": "b" * 50}}
        for at in range(500)
    ]  # fmt: skip
    made = _made(client, _event(middle, end=end, programme=items))
    for tail in ("", "/visitors", "/duties", "/calendar.ics"):
        assert client.get(f"{AT}/{made['id']}{tail}").status_code in (200, 400), tail


def test_while_one_question_of_meetings_is_solved_the_next_is_told_to_wait(
    client: TestClient, middle: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.programme.events import delegation

    from twintown.api import event_meetings

    monkeypatch.setattr(event_meetings, "PATIENCE_S", 0.01)
    made = _made(
        client,
        _event(middle, kind="conference", delegations=[delegation("a", "b"), delegation("b", "a")]),
    )
    body = {"slots": [{"start": "2027-09-18T11:00:00+09:00", "end": "2027-09-18T12:00:00+09:00"}], "rooms": 1}
    with event_meetings._ONE:
        said = client.post(f"{AT}/{made['id']}/meetings", json=body)
        assert said.status_code == 503 and "retry-after" in said.headers
    assert client.post(f"{AT}/{made['id']}/meetings", json=body).status_code == 200
