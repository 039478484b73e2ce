"""Many callers that each enter something at once share transactions: whoever comes first writes for all who wait.

For entries that tell of nothing else in the database (refusals, roots of access logs). What belongs to a change is entered in its own
transaction (`ledger.record_in`). Either way nobody is told before it is on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
from typing import Any

from twintown.store.engine import writing

from .ledger import Rows, insert_in, prepared

#: Most entries in one transaction; others wait for the next.
_MOST = 500


@dataclass
class _Waiting:
    """One caller: what to write, and where it came to stand or what went wrong."""

    row: dict[str, Any]
    turn: Event = field(default_factory=Event)
    leads: bool = False
    seq: int = -1
    error: BaseException | None = None


class Entering:
    """Enters records for many threads; one a twin and process."""

    def __init__(self, tables: Rows) -> None:
        self.tables = tables
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._busy = False

    def enter(self, kind: str, record: Mapping[str, Any], now: datetime) -> int:
        """Enter one record; its place, once it is on the disk.

        Raises:
            BadData, TooLarge: it cannot be entered.
            StorageFailed, StorageFull: it was not.
        """
        mine = _Waiting(prepared(kind, record, now))
        with self._lock:
            self._waiting.append(mine)
            mine.leads, self._busy = not self._busy, True
        if not mine.leads:
            mine.turn.wait()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.seq

    def _lead(self) -> None:
        """Write for all who wait, oneself among them; who came meanwhile has its turn next."""
        with self._lock:
            taken, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        self._write(taken)
        with self._lock:
            self._busy = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].turn.set()
        for one in taken:
            one.turn.set()

    def _write(self, taken: list[_Waiting]) -> None:
        try:
            with writing(self.tables.engine) as connection:
                places = insert_in(connection, self.tables, [one.row for one in taken])
            for one, seq in zip(taken, places, strict=True):
                one.seq = seq
        except BaseException as error:
            for one in taken:
                one.error = error
