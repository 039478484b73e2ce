"""Share one compiled, GIL-free kernel among threads.

Plain threads rather than numba's own pool: its default layer aborts the process when two requests meet in it,
and a parallel kernel costs seconds to compile.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TypeVar

__all__ = ["giving_way", "processors", "spread"]

T = TypeVar("T")

_alone: ContextVar[bool] = ContextVar("alone", default=False)


@contextmanager
def giving_way() -> Iterator[None]:
    """What this thread computes from here on stays in it and yields to everybody else's work (Linux: niceness 10).

    For work that nobody waits for yet. Only root could take the niceness back, so the thread should end after it.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def processors() -> int:
    """Number of processors this process may use (at least 1)."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


@lru_cache(maxsize=8)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="kernel")


def spread(work: Callable[[int], T], tasks: int, threads: int = 0) -> list[T]:
    """Run ``work(0) … work(tasks - 1)`` on a shared pool and give the answers in order.

    ``threads`` = 0 takes every processor. An exception of any task is raised here.
    """
    threads = threads or processors()
    if tasks <= 1 or threads == 1 or _alone.get():
        return [work(index) for index in range(tasks)]
    return list(_pool(threads).map(work, range(tasks)))
