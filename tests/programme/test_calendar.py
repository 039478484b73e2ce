"""iCalendar out and in: what we wrote comes back, and what is malformed, huge or hostile is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.programme.events import ID, festival, said

from twintown.ground.errors import BadData
from twintown.ground.names import Name
from twintown.programme import calendar_in, calendar_out
from twintown.programme.calendar_out import Written
from twintown.programme.event_reading import read
from twintown.programme.listings import Venue

MADANG = Venue("서울놀이마당", Name("서울놀이마당", "Seoul Nori Madang"), 127.0981982, 37.50936664)
AT = datetime(2027, 6, 1, 3, 4, 5, 678, tzinfo=UTC)
ADDRESS = "https://twin.example/twins/jamsil"


def _out(*written: Written) -> bytes:
    return calendar_out.calendar(written, twin="jamsil", name="서울 잠실", zone="Asia/Seoul", address=ADDRESS)


def _in(data: bytes, twin: str = "jamsil") -> calendar_in.Found:
    return calendar_in.calendar(data, twin=twin, zone="Asia/Seoul", venues=[MADANG])


def _file(*lines: str) -> bytes:
    """A calendar of one entry with these lines beside the needed ones."""
    own = {line.split(":")[0].split(";")[0] for line in lines}
    known = {
        "UID": "UID:x@example.org", "SUMMARY": "SUMMARY:햅쌀 축제", "DTSTART": "DTSTART;TZID=Asia/Seoul:20270918T110000",
        "DTEND": "DTEND;TZID=Asia/Seoul:20270918T190000", "GEO": "GEO:37.509;127.098",
    }  # fmt: skip
    rest = [line for name, line in known.items() if name not in own]
    entry = ["BEGIN:VEVENT", *rest, *(line for line in lines if line.strip()), "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *entry, "END:VCALENDAR", ""]).encode()


def _why(data: bytes) -> str:
    found = _in(data)
    assert not found.events
    return found.refused[0].why


def test_what_we_wrote_comes_back_whole() -> None:
    one = festival(
        host="", agreement="", about={"ko": "쌀; 놀이, 그리고\n춤 \\ 노래", "en": "Rice"},
        title={"ko": "거북" * 60, "en": "Turtle; and, \\n dance\\"},
        stands=[], stage=None, visitors={"expected": 2400, "error": 800, "source": "tickets", "note": ""},
        works=said()["works"] | {"temporary_m2": 0.0, "food": False},
        sections=[{"id": "s-1", "title": {"ko": "s-1", "en": "s-1"}}],
        programme=[
            said()["programme"][0] | {"section": "s-1", "performers": ["보존회", "둘째"]},
            said()["programme"][0] | {"id": "second", "start": "2027-09-18T16:00:00+09:00", "end": "2027-09-18T16:30:00+09:00"},
        ],
    )  # fmt: skip
    found = _in(_out(Written(one, "agreed", 3, AT)))
    assert found.refused == ()
    assert found.events == (one,)


def test_a_file_has_its_zone_its_organiser_its_place_and_the_items_below_their_event() -> None:
    text = _out(Written(festival(), "agreed", 3, AT)).decode()
    assert "BEGIN:VTIMEZONE\r\nTZID:Asia/Seoul" in text
    assert "GEO:37.50936664;127.0981982" in text
    assert f"ORGANIZER;CN=이천문화재단:{ADDRESS}" in text
    assert f"RELATED-TO;RELTYPE=PARENT:{ID}@jamsil.twintown" in text.replace("\r\n ", "")
    assert "STATUS:CONFIRMED" in text and "SEQUENCE:2" in text and "DTSTAMP:20270601T030405Z" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_a_listing_is_of_whole_days_and_thanks_its_source() -> None:
    text = _out(
        Written(
            festival(), "listed", all_day=True, placed=False, link="https://e.org/", thanks="공공데이터포털"
        )
    ).decode()
    assert "DTSTART;VALUE=DATE:20270918" in text
    assert "GEO" not in text and "X-TWINTOWN-VISITORS" not in text
    assert "공공데이터포털" in text and "URL:https://e.org/" in text


def test_a_name_cannot_write_lines_of_its_own() -> None:
    hostile = festival(organiser={"name": 'x\nATTACH:file\t"; y', "department": "d\nURL:file:///etc"})
    lines = _out(Written(hostile, "draft", 1, AT)).decode().replace("\r\n ", "").split("\r\n")
    assert not any(line.startswith(("ATTACH", "URL:file")) for line in lines)


def test_anothers_calendar_makes_the_same_event_each_time() -> None:
    found = _in(
        _file("URL:https://example.org/e", "DESCRIPTION:둘", "ORGANIZER;CN=송파구:mailto:a@example.org")
    )
    event = found.events[0]
    assert event.id == _in(_file()).events[0].id != ID
    assert event.about.ko == "둘\nhttps://example.org/e"
    assert event.organiser.name == "송파구"
    assert event.start == datetime.fromisoformat("2027-09-18T11:00:00+09:00")
    assert "states no visitors" in event.visitors.note
    assert read(event.to_dict()) == event


def test_days_durations_utc_and_windows_zones_are_understood() -> None:
    day = _in(_file("DTSTART;VALUE=DATE:20270918", "DTEND;VALUE=DATE:20270920")).events[0]
    assert (day.end - day.start).days == 2
    long = _in(
        _file("DTSTART:20270918T020000Z", "DTEND:", "DURATION:PT2H").replace(b"DTEND:\r\n", b"")
    ).events[0]
    assert long.end.isoformat() == "2027-09-18T13:00:00+09:00"
    zone = _in(_file("DTSTART;TZID=Korea Standard Time:20270918T110000")).events[0]
    assert zone.start.utcoffset() == day.start.utcoffset()


def test_a_place_is_a_geo_or_a_venue_of_this_twin() -> None:
    at_venue = _in(_file("LOCATION:서울놀이마당 (석촌호수)", "GEO:").replace(b"GEO:\r\n", b"")).events[0]
    assert (at_venue.place.venue, at_venue.place.lon) == ("서울놀이마당", MADANG.lon)
    assert "no place" in _why(_file("LOCATION:어딘가", "GEO:").replace(b"GEO:\r\n", b""))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("DTSTART;TZID=Mars/Olympus:20270918T110000",), "unknown zone 'Mars/Olympus'"),
        (("DTSTART:20270918T110000",), "does not say in which zone"),
        (("DTEND;TZID=Asia/Seoul:20270918T110000",), "not after its start"),
        (("DTSTART:2027",), "DTSTART"),
        (("GEO:91;127",), "outside of the world"),
        (("GEO:x",), "GEO"),
        (("RRULE:FREQ=SECONDLY",), "repeats"),
        (("URL:javascript:alert(1)",), "neither http nor https"),
        (("URL:file:///etc/passwd",), "neither http nor https"),
        (("SUMMARY:a", "SUMMARY:b"), "SUMMARY twice"),
        (("SUMMARY:" + "x" * 5000,), "4,000"),
        (("SUMMARY:" + "가" * 300,), "200"),
        (("SUMMARY: ",), "title"),
        (("RELATED-TO:gone@example.org",), "not in the file"),
        (("DTEND:19000101T000000Z",), "end"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_taken_is_refused_with_the_reason(lines: tuple[str, ...], why: str) -> None:
    assert why in _why(_file(*lines))


def test_one_bad_item_does_not_stop_its_event() -> None:
    item = "\r\n".join(
        [
            "BEGIN:VEVENT", "UID:y@example.org", "RELATED-TO:x@example.org", "SUMMARY:너무 일찍", "DTSTART;TZID=Asia/Seoul:20270918T090000",
            "DURATION:PT1H", "END:VEVENT", "END:VCALENDAR",
        ]
    )  # fmt: skip
    found = _in(_file().replace(b"END:VCALENDAR", item.encode()))
    assert found.events[0].programme == ()
    assert found.refused[0].what == "너무 일찍"
    assert "outside of the event's time" in found.refused[0].why


def test_a_files_own_zones_are_not_believed() -> None:
    bomb = "\r\n".join(
        [
            "BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "DTSTART:19700101T000000", "RRULE:FREQ=SECONDLY", "TZOFFSETFROM:+0000",
            "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE", "BEGIN:VEVENT",
        ]
    )  # fmt: skip
    data = _file("DTSTART;TZID=Own:20270918T110000").replace(b"BEGIN:VEVENT", bomb.encode(), 1)
    assert "unknown zone 'Own'" in _why(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no iCalendar"),
        (b"hello", "no iCalendar"),
        (b"\xff\xfe\x00", "no iCalendar"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "no VEVENT"),
        (b"BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\n", "VEVENT"),
        (b"BEGIN:VEVENT\r\n" * 5000, "deep"),
        (b"X:1\r\n" * 50_000, "lines"),
        (b"BEGIN:VCALENDAR\r\nX:" + b"x" * 1_100_000, "bytes"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 4100 + b"END:VCALENDAR", "components"),
        (b"[{}]", "no iCalendar"),
    ],
)
def test_what_is_no_calendar_or_too_large_is_refused_as_a_whole(data: bytes, why: str) -> None:
    with pytest.raises(BadData, match=why):
        _in(data)


def test_zones_without_an_end_cost_one_walk_over_the_file() -> None:
    class Counted(bytes):
        walks = 0

        def splitlines(self, keepends: bool = False) -> list[bytes]:
            Counted.walks += 1
            return bytes.splitlines(self, keepends)

    begun = b"END:VTIMEZONE\n" + b"BEGIN:VTIMEZONE\nEND:X\n" * 1900 + b"X:" + b"a" * 900_000
    data = Counted(b"BEGIN:VCALENDAR\n" + begun + b"\nEND:VCALENDAR\n")
    assert len(calendar_in._without_zones(data)) < 100 and Counted.walks == 1
