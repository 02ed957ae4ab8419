"""One way for tests to read a stream with httpx or httpx2, plainly, on asyncio or on trio."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from playhead.adapters import httpx as for_httpx
from playhead.adapters import httpx2 as for_httpx2

QUESTION = {"messages": [{"role": "user", "content": "Where is Paris?"}]}


@dataclass
class Outcome:
    """What a reader saw."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    error: Exception | None = None

    @property
    def fault(self) -> tuple[type[Exception], str] | None:
        """Return class and message of what was raised."""
        return None if self.error is None else (type(self.error), str(self.error))


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Reader:
    """A client of a library, on an event loop or none. `source` is a recorder, a tap, or None for no tape at all."""

    library: Any
    adapter: Any
    backend: str | None

    def read(
        self,
        source: Any,
        url: str,
        *,
        question: Any = QUESTION,
        leave_after: int | None = None,
        after_each: Callable[[], object] = nothing,
        timeout_s: float | None = 30.0,
        **options: Any,
    ) -> Outcome:
        """Post a question and read the chunks of the answer, as they come from the socket."""
        if self.backend is None:
            return self._read(source, url, question, leave_after, after_each, timeout_s, options)
        return anyio.run(
            self.aread, source, url, question, leave_after, after_each, timeout_s, options, backend=self.backend
        )

    def _read(
        self,
        source: Any,
        url: str,
        question: Any,
        leave_after: int | None,
        after_each: Callable[[], object],
        timeout_s: float | None,
        options: dict[str, Any],
    ) -> Outcome:
        seen = Outcome()
        transport = source and self.adapter.transport(source, **options)
        try:
            with (
                self.library.Client(transport=transport, timeout=timeout_s, trust_env=False) as client,
                client.stream("POST", f"{url}/v1/ask", json=question) as response,
            ):
                seen.status, seen.headers = response.status_code, dict(response.headers)
                for chunk in response.iter_raw():
                    seen.chunks.append(chunk)
                    if len(seen.chunks) == leave_after:
                        break
                    after_each()
        except Exception as error:
            seen.error = error
        return seen

    async def aread(
        self,
        source: Any,
        url: str,
        question: Any = QUESTION,
        leave_after: int | None = None,
        after_each: Callable[[], object] = nothing,
        timeout_s: float | None = 30.0,
        options: dict[str, Any] | None = None,
        seen: Outcome | None = None,
    ) -> Outcome:
        """Do as `read` does, on the running loop. `seen` is filled as chunks come."""
        seen = seen or Outcome()
        transport = source and self.adapter.async_transport(source, **(options or {}))
        try:
            async with (
                self.library.AsyncClient(transport=transport, timeout=timeout_s, trust_env=False) as client,
                client.stream("POST", f"{url}/v1/ask", json=question) as response,
                aclosing(response.aiter_raw()) as chunks,
            ):
                seen.status, seen.headers = response.status_code, dict(response.headers)
                async for chunk in chunks:
                    seen.chunks.append(chunk)
                    if len(seen.chunks) == leave_after:
                        break
                    after_each()
        except Exception as error:
            seen.error = error
        return seen


LIBRARIES = {"httpx": (httpx, for_httpx), "httpx2": (httpx2, for_httpx2)}

# Both libraries leave generators of their own to the garbage collector when a reader leaves, with a tape and without.
_LEFT_HALF_READ = pytest.mark.filterwarnings("ignore:Async generator 'http(x|core):ResourceWarning")

READERS = [
    pytest.param(Reader(library, adapter, backend), id=f"{name}-{backend or 'plain'}", marks=_LEFT_HALF_READ)
    for name, (library, adapter) in LIBRARIES.items()
    for backend in (None, "asyncio", "trio")
]
