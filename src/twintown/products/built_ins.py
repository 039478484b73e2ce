"""The products of the house, in the order in which they are made."""

from __future__ import annotations

from .product import Product
from .tiles3d import BUILDINGS
from .vectors import BASE

BUILT_INS: tuple[Product, ...] = (BUILDINGS, BASE)
