"""A flat place without sources, as a description of a twin: what the tests of jobs and of evidence stand on."""

from __future__ import annotations

#: Its lower left corner, metres of EPSG:5186.
X, Y = 208_500.0, 546_000.0


def described(id: str, ko: str, en: str, width_m: float, height_m: float) -> str:
    """`twintown.toml` of a place of that size."""
    return f"""
[twin]
id = "{id}"
names = {{ ko = "{ko}", en = "{en}" }}
time_zone = "Asia/Seoul"
day = "2026-12-22"
[frame]
crs = "EPSG:5186"
vertical = "EPSG:5193"
[frame.geoid]
undulation_m = 23.3
source = "test"
[bounds]
xmin = {X}
ymin = {Y}
xmax = {X + width_m}
ymax = {Y + height_m}
[ground]
kind = "flat"
height_m = 15
assumed = true
note = {{ ko = "평평", en = "flat" }}
[home]
lon = 127.1
lat = 37.51
heading_deg = 0
pitch_deg = -30
range_m = 900
"""
