"""The client: `from twintown import Twin`."""

from twintown.client.shown import Schema
from twintown.client.twin import Layer, Layers, Twin

__all__ = ["Layer", "Layers", "Schema", "Twin"]
