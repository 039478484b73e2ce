"""Roofs over polygons. (work in progress)"""

from __future__ import annotations

ROOF_SHAPES = ("flat", "skillion", "gabled", "hipped", "pyramidal")
