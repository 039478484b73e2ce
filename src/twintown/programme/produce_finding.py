"""What is wrong or odd in what is offered and needed: named where the officer looks, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from twintown.ground.names import Name

Level = Literal["bad", "warn", "info"]


@dataclass(frozen=True)
class Finding:
    """One finding.

    Args:
        code: for programs: `negative`, `doubly-promised`, `window-reversed`, `expired`, …
        text: for people, with what would mend it.
        row: id of the lot, need or kitchen; "" for the whole.
        level: `bad` (cannot be planned), `warn` (look at it), `info`.
        layer: the layer that the row is in.
        rows: ids of all that it holds for, where they are several.
    """

    code: str
    text: Name
    row: str = ""
    level: Level = "warn"
    layer: str = ""
    rows: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As it is sent."""
        return {
            "code": self.code, "text": self.text.to_dict(), "row": self.row, "level": self.level, "layer": self.layer,
            "rows": list(self.rows),
        }  # fmt: skip


@dataclass(frozen=True)
class Basis:
    """One number that a calculation stands on.

    Args:
        code: for programs.
        text: for people, with the number in it.
        source: `measured`, `stated`, `assumed` or `computed`.
    """

    code: str
    text: Name
    source: str

    def to_dict(self) -> dict[str, Any]:
        """As it is sent."""
        return {"code": self.code, "text": self.text.to_dict(), "source": self.source}
