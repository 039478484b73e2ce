"""What an answer rests on: the papers that its method is from, and the errors that were measured of it.

Both are read from the two files that people read, `references.bib` and `VALIDATION.md` (which `python -m validation` writes, one row a
measurement, always in the same form): there is no second list that could say something else. They stand at the root of a clone and
are carried along in the package; an installation that has neither says so by an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_ENTRY = re.compile(r"@(\w+)\{([^,\s]+),(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*?)\},?\s*$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(
    r"^\| `(?P<kernel>[^`]+)` \| \[(?P<case>\w+)\]\([^)]*\) \| (?P<what>.+) \| (?P<error>-?[\d.e+-]+|nan) (?P<unit>\S+) "
    r"\| (?P<tolerance>[\d.e+-]+) \S+ \| (?P<mark>holds|\*\*fails\*\*) \|$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Citation:
    """A publication that a method is taken from. `doi` is empty where it has none."""

    key: str
    text: str
    doi: str

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Measurement:
    """One error of one kernel in one validation case, against its tolerance, in `unit`."""

    case: str
    kernel: str
    what: str
    error: float
    tolerance: float
    unit: str
    holds: bool

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def citations(keys: Iterable[str]) -> tuple[Citation, ...]:
    """The publications of these keys, in their order; one that is not known here is given by its key alone."""
    known = _references()
    return tuple(known.get(key, Citation(key, key, "")) for key in keys)


def measurements(cases: Iterable[str]) -> tuple[Measurement, ...]:
    """What was measured in these cases, in the order of the report."""
    wanted = set(cases)
    return tuple(one for one in _measured() if one.case in wanted)


def _text(name: str) -> str:
    """A file of the package, or of the clone's root; "" where it is neither."""
    here = Path(__file__).resolve()
    for place in (here.parents[1] / name, here.parents[3] / name):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    return ""


@lru_cache(maxsize=1)
def _references() -> dict[str, Citation]:
    found = {}
    for _, key, body in _ENTRY.findall(_text("references.bib")):
        said = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(body)}
        names = [one.partition(",")[0].strip() for one in said.get("author", "").split(" and ") if one]
        who = " & ".join(names) if len(names) < 3 else f"{names[0]} et al."
        where = (
            said.get("journal")
            or said.get("booktitle")
            or said.get("publisher")
            or said.get("institution", "")
        )
        year = said.get("year", "")
        text = (
            f"{who} ({year}). {said.get('title', '')}. {where}".replace("{", "").replace("}", "").strip(" .")
        )
        found[key] = Citation(key, text, said.get("doi", ""))
    return found


@lru_cache(maxsize=1)
def _measured() -> tuple[Measurement, ...]:
    return tuple(
        Measurement(row["case"], row["kernel"], row["what"], float(row["error"]), float(row["tolerance"]),
                    row["unit"], row["mark"] == "holds")
        for row in _ROW.finditer(_text("VALIDATION.md"))
    )  # fmt: skip
