"""Share one compiled, GIL-free kernel among threads.

Plain threads rather than numba's own pool: its default layer aborts the process when two requests meet in it,
and a parallel kernel costs seconds to compile.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

__all__ = ["processors", "spread"]

T = TypeVar("T")


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
    if tasks <= 1 or threads == 1:
        return [work(index) for index in range(tasks)]
    return list(_pool(threads).map(work, range(tasks)))
