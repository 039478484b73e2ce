"""A described twin without sources, to stage layers into."""

from __future__ import annotations

from pathlib import Path

import pytest

DESCRIPTION = """
[twin]
id = "hamlet"
names = { ko = "작은 마을", en = "Hamlet" }
time_zone = "Asia/Seoul"
day = "2026-12-22"
[frame]
crs = "EPSG:5186"
vertical = "EPSG:5193"
[frame.geoid]
undulation_m = 23.4
source = "declared for this test"
[bounds]
xmin = 208000
ymin = 544900
xmax = 210300
ymax = 547100
[ground]
kind = "flat"
height_m = 14
assumed = true
note = { ko = "평평하다고 가정", en = "assumed flat" }
[home]
lon = 127.1
lat = 37.51
heading_deg = 0
pitch_deg = -30
range_m = 2000
[licences."CC0-1.0"]
title = "CC0"
[[layers]]
id = "wells"
title = { ko = "우물", en = "Wells" }
assumed = [{ ko = "깊이는 가정", en = "depths are assumed" }]
[layers.columns.depth_m]
title = { ko = "깊이", en = "Depth" }
unit = "m"
"""


@pytest.fixture
def described(tmp_path: Path) -> Path:
    (tmp_path / "twintown.toml").write_text(DESCRIPTION, encoding="utf-8")
    return tmp_path
