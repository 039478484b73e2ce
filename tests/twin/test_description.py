"""twintown.toml: what is wrong in it is named with its key, and what is right is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from twintown.ground.errors import BadSettings
from twintown.twin.description import Description

from .conftest import DESCRIPTION


def test_a_description_is_read_whole(described: Path) -> None:
    twin = Description.load(described)
    assert (twin.id, twin.names.ko, twin.frame.undulation_m) == ("hamlet", "작은 마을", 23.4)
    assert twin.layer("wells").columns["depth_m"].unit == "m"
    assert twin.layer("unheard-of").title.en == "unheard-of"


def test_bounds_in_degrees_become_whole_metres_of_the_frame(described: Path) -> None:
    text = DESCRIPTION.replace("xmin = 208000\nymin = 544900\nxmax = 210300\nymax = 547100",
                               'crs = "EPSG:4326"\nxmin = 127.09\nymin = 37.50\nxmax = 127.12\nymax = 37.52')  # fmt: skip
    (described / "twintown.toml").write_text(text, encoding="utf-8")
    bounds = Description.load(described).bounds
    assert 2500 < bounds.width < 2800 and 2100 < bounds.height < 2400
    assert all(value == round(value) for value in bounds.as_tuple())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "hamlet"', 'id = "Hamlet City"', "twin.id"),
        ('id = "hamlet"\n', "", "'id' is missing"),
        ("Asia/Seoul", "Asia/Jamsil", "time zone"),
        ("EPSG:5186", "EPSG:4326", "projected"),
        ("undulation_m = 23.4", "undulation_m = 2340", "undulation_m"),
        ("xmax = 210300", "xmax = 200000", "turned round"),
        ('kind = "flat"', 'kind = "hilly"', "ground.kind"),
        ('kind = "flat"', 'kind = "flat"\nheigth = 3', "unknown key 'heigth'"),
        ('unit = "m"', 'unit = "feet"', "unknown unit"),
        ("[twin]", "[twin", "not TOML"),
        ("lat = 37.51", 'lat = "37.51"', "home.lat"),
    ],
)
def test_a_slip_is_named_with_its_place(described: Path, old: str, new: str, says: str) -> None:
    assert old in DESCRIPTION
    (described / "twintown.toml").write_text(DESCRIPTION.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadSettings) as caught:
        Description.load(described)
    assert says in str(caught.value)
    assert "twintown.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_wrong_encoding_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="twintown init"):
        Description.load(tmp_path)
    (tmp_path / "twintown.toml").write_bytes("이름".encode("cp949"))
    with pytest.raises(BadSettings, match="UTF-8"):
        Description.load(tmp_path)


def test_a_source_with_an_undescribed_licence_is_refused(described: Path) -> None:
    entry = '\n[[sources]]\nid = "x"\nsource = "tables"\npaths = ["a.csv"]\ntitle = "t"\npublisher = "p"\nlicence = "MIT"\ngrade = "O"\n'
    (described / "twintown.toml").write_text(DESCRIPTION + entry, encoding="utf-8")
    with pytest.raises(BadSettings, match="MIT"):
        Description.load(described)
