"""One way to run on a virtual clock, whichever the event loop.

Knows which module drives which backend. Does not import a backend before it is asked for: trio is optional.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, TypeVar, TypeVarTuple

from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.text import did_you_mean

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")

_DRIVERS = {"asyncio": "playhead.clocks.asyncio_loop", "trio": "playhead.clocks.trio_loop"}


def run(
    async_fn: Callable[[*_Arguments], Awaitable[_Result]],
    *args: *_Arguments,
    backend: str = "asyncio",
    clock: VirtualClock | None = None,
) -> _Result:
    """Run an async function on an event loop whose time is virtual, and return its result.

    `backend` is `"asyncio"` or `"trio"`, `clock` a new `VirtualClock` unless one is given. Sleeping takes no real
    time; timeouts and heartbeats fire in the order of their times, `asyncio.timeout`, `loop.call_later`,
    `anyio.move_on_after` and `trio.move_on_after` among them.

    Raises what the function raises, and `UsageError` where the run could never end (see `VirtualClock`), where the
    clock already drives a loop, and for an unknown backend. `ModuleNotFoundError` if trio is asked for and missing.
    """
    driver = _driver(backend)
    clock = clock or VirtualClock()
    clock.check_free()
    result: _Result = driver.run(async_fn, *args, clock=clock)
    return result


def backend_options(backend: str, clock: VirtualClock) -> dict[str, Any]:
    """Return the `backend_options` with which anyio runs on `clock`.

    For `anyio.run` (which drops them on trio before anyio 4.14), and for anyio's pytest plugin, whose fixture
    `anyio_backend` then returns a pair:

        @pytest.fixture(params=["asyncio", "trio"])
        def anyio_backend(request, clock):
            return request.param, backend_options(request.param, clock)

    One set of options serves one run or test runner at a time. A trio run that is stuck is cancelled by trio with the
    `UsageError` as its reason. Raises `UsageError` for an unknown backend.
    """
    options: dict[str, Any] = _driver(backend).backend_options(clock)
    return options


def _driver(backend: str) -> Any:
    if backend not in _DRIVERS:
        known = "virtual time runs on 'asyncio' and on 'trio'"
        raise UsageError(f"backend={backend!r}: {known}{did_you_mean(backend, _DRIVERS)}")
    return import_module(_DRIVERS[backend])
