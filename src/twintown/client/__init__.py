"""The client: `from twintown import Twin`."""

from twintown.client.twin import Layer, Layers, Schema, Twin

__all__ = ["Layer", "Layers", "Schema", "Twin"]
