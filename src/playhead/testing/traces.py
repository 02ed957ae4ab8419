"""What code leaves behind, and what it changed: tasks, threads, files, objects, and the events that it was given.

Knows how to look, and does not know what may be there.
"""

import asyncio
import gc
import os
import threading
from contextvars import Context
from itertools import takewhile
from types import FunctionType, ModuleType
from typing import Any, Final

_AROUND: Final = 24
# Threads of a pool stay for the next one who needs them.
_POOLS: Final = ("AnyIO worker", "asyncio_", "ThreadPoolExecutor")
_MAX_REACHED: Final = 50_000
# Loops hold weakly what they have run, until the collector comes by.
_NOT_HELD: Final = (type, ModuleType, FunctionType, asyncio.AbstractEventLoop, Context)


def print_of(event: Any) -> str:
    """Return all that an event says, whatever it remembers of the text that it was read from."""
    told = repr(event)
    # What has no words of its own is told by its address, which says nothing.
    return repr(vars(event)) if told.startswith("<") and hasattr(event, "__dict__") else told


def change_of(before: str, after: str) -> str:
    """Return the place where two texts begin to differ, of both."""
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = max(0, common - _AROUND)
    return f"...{before[start : start + 2 * _AROUND]}... became ...{after[start : start + 2 * _AROUND]}..."


def resources() -> set[str]:
    """Return what lives beside the objects: tasks, threads and open files."""
    found = {f"thread {thread.name}" for thread in threading.enumerate() if not thread.name.startswith(_POOLS)}
    try:
        current = asyncio.current_task()
        found |= {f"task {_task_name(task)}" for task in asyncio.all_tasks() if task is not current}
    except RuntimeError:
        # Not on asyncio: trio lets no task outlive its nursery.
        pass
    if os.path.isdir("/proc/self/fd"):
        found |= {f"open file {number}" for number in os.listdir("/proc/self/fd")[:-1]}
    return found


def _task_name(task: "asyncio.Task[Any]") -> str:
    code = getattr(task.get_coro(), "__qualname__", "")
    return f"{task.get_name()} ({code})" if code else task.get_name()


def reached_from(root: Any) -> int:
    """Count the objects that are reached from an object, but for code."""
    seen: set[int] = set()
    waiting = [root]
    while waiting and len(seen) < _MAX_REACHED:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, _NOT_HELD):
            continue
        seen.add(id(each))
        waiting += gc.get_referents(each)
    return len(seen)
