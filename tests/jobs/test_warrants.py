"""What an answer rests on."""

from __future__ import annotations

from pathlib import Path

import pytest

from twintown.jobs import warrants
from twintown.jobs.process import processes

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def read_anew() -> None:
    warrants._references.cache_clear()
    warrants._measured.cache_clear()


def test_every_row_of_the_report_is_read() -> None:
    rows = [
        line
        for line in (ROOT / "VALIDATION.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    assert rows
    assert len(warrants._measured()) == len(rows)
    failing = [one for one in warrants._measured() if not one.holds]
    assert len(failing) == sum("**fails**" in row for row in rows)


def test_every_publication_is_read() -> None:
    text = (ROOT / "references.bib").read_text(encoding="utf-8")
    assert len(warrants._references()) == text.count("\n@") + text.startswith("@")
    (ratti,) = warrants.citations(["ratti2004"])
    assert (
        ratti.text
        == "Ratti & Richens (2004). Raster analysis of urban form. Environment and Planning B: Planning and Design"
    )
    assert ratti.doi == "10.1068/b2665"


def test_every_process_names_publications_and_cases_that_are_there() -> None:
    for process in processes().working.values():
        assert all(one.text != one.key for one in warrants.citations(process.citations)), process.id
        assert {one.case for one in warrants.measurements(process.validation)} == set(process.validation), (
            process.id
        )


def test_without_the_files_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warrants, "_text", lambda name: "")
    assert warrants.measurements(["ground_box"]) == ()
    assert [one.to_dict() for one in warrants.citations(["a2020"])] == [
        {"key": "a2020", "text": "a2020", "doi": ""}
    ]
    warrants._references.cache_clear()
    warrants._measured.cache_clear()
