"""What every benchmark prints: one row a number, with its unit, its target, `ok` or `short`, and the peers' figures of the same run."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """One measured number; `value` none: it could not be measured, and `note` says why."""

    name: str
    value: float | None
    unit: str
    target: str
    ok: bool
    peer: str = ""
    note: str = ""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def show(rows: list[Row]) -> None:
    """The table."""
    for r in rows:
        value = "—" if r.value is None else f"{r.value:,.2f}"
        print(
            f"{'ok   ' if r.ok else 'short'}  {r.name:44} {value:>12} {r.unit:12} {r.target:10} {r.note}",
            flush=True,
        )
        if r.peer:
            print(f"{'':7}{'':44} peers: {r.peer}")


def keep(rows: list[Row], name: str) -> int:
    """Write `build/bench-NAME.json`; the exit status: 1 where a row is short."""
    out = ROOT / "build"
    out.mkdir(exist_ok=True)
    (out / f"bench-{name}.json").write_text(
        json.dumps([asdict(r) for r in rows], ensure_ascii=False, indent=1)
    )
    return 0 if all(r.ok for r in rows) else 1
