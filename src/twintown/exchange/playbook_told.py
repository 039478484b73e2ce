"""A playbook as JSON, for those who read it on a page."""

from __future__ import annotations

from typing import Any

from .playbook import Need, Playbook, Step, Threshold


def told_of(playbook: Playbook) -> dict[str, Any]:
    """Its chain, needs, thresholds, know-how and validation."""
    return {
        "steps": [_step(one) for one in playbook.steps],
        "needs": [_need(one) for one in playbook.needs],
        "thresholds": [threshold(one) for one in playbook.thresholds],
        "knowhow": {name: text.to_dict() for name, text in playbook.knowhow.items()},
        "validation": [
            {"id": one.id, "what": one.what.to_dict(), "process": one.process, "file": one.file} for one in playbook.validation
        ],
    }  # fmt: skip


def threshold(one: Threshold) -> dict[str, Any]:
    """A threshold with its source; `convention`: the author chose it."""
    return {
        "id": one.id, "names": one.names.to_dict(), "value": one.value, "unit": one.unit, "source": one.source.to_dict(),
        "convention": one.convention,
    }  # fmt: skip


def _step(one: Step) -> dict[str, Any]:
    return {
        "id": one.id, "title": one.title.to_dict(), "process": one.process, "versions": list(one.versions), "inputs": dict(one.inputs),
        "takes": {name: ".".join(whence) for name, whence in one.takes.items()},
    }  # fmt: skip


def _need(one: Need) -> dict[str, Any]:
    return {
        "layer": one.layer, "shape": one.shape, "geometry": one.geometry, "least": one.least, "columns": dict(one.columns),
        "why": one.why.to_dict(),
    }  # fmt: skip
