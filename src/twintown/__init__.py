"""Twintown: the digital twin of a city. Importing the package imports nothing; `from twintown import Twin` brings the client."""

__version__ = "0.1.0"
__all__ = ["Twin", "__version__"]


def __getattr__(name: str) -> object:
    if name == "Twin":
        from importlib import import_module

        return import_module("twintown.client.twin").Twin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
