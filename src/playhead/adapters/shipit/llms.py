"""shipit's LLMs, through a tap: they push what they say into callbacks, and a tap pulls.

Knows how shipit asks an LLM. Does not know what a tap does with a question. Importing this module without shipit raises
`UsageError`.
"""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import partial
from inspect import isawaitable
from typing import Any, Final, Self

from anyio.lowlevel import checkpoint

from playhead.adapters.shipit.values import CALLBACKS, PIECES, asked_of, hand_out, question_of
from playhead.errors import CassetteError, UsageError
from playhead.models.tap import Request, Tap

try:
    from shipit_agent.llms.base import accepts_explicit_kwarg, accepts_kwarg
except ImportError as _error:
    raise UsageError("this needs shipit, which is not installed: pip install 'playhead[shipit]'") from _error

LLM = Any
"""What shipit takes for an LLM: its protocol has a method `complete`, and `acomplete` where it can."""


def llm(real: LLM, tap: Tap) -> LLM:
    """Return an LLM of shipit that asks `real` through a tap, or in a replay nobody.

    It takes all that shipit's protocol has, and hands on what `real` takes. Whatever else an agent reads off its LLM
    (`model` and so on) is read off `real`; what could be called there is not, but for `close`: it would go past the
    tape. In a replay `real` may be None, or anything with the attributes that the agent minds.

    What is asked is the messages, the system prompt, the tools' schemas and the options. Ids that shipit itself gave to
    calls are numbered, and annotations of messages are left out: they are not the question's, and differ from run to
    run.
    """
    return _TapedLLM(real, tap)


class _TapedLLM:
    """Ask an LLM through a tap."""

    def __init__(self, real: LLM, tap: Tap) -> None:
        self._real = real
        self._tap = tap

    # Shipit asks by these very names whether an LLM can stream the input of tools, and be made to call one.
    def complete(
        self,
        messages: Sequence[Any],
        *,
        tool_input_callback: Any = None,
        require_tool_call: bool = False,
        **options: Any,
    ) -> Any:
        """Return the answer, and hand out its pieces as they come."""
        asked = asked_of(messages, tool_input_callback, require_tool_call, options)
        pushed = _Pushed(self._tap, question_of(asked))
        if pushed.is_live:
            return pushed.run(self._real.complete, asked)
        return _played(pushed.pieces, asked)

    async def acomplete(
        self,
        messages: Sequence[Any],
        *,
        tool_input_callback: Any = None,
        require_tool_call: bool = False,
        **options: Any,
    ) -> Any:
        """Do the same in an event loop. A real LLM that cannot is asked in a thread, as shipit does it."""
        asked = asked_of(messages, tool_input_callback, require_tool_call, options)
        question = question_of(asked)
        pushed = _Pushed(self._tap, question)
        if not pushed.is_live:
            return await _played_in_time(self._tap.stream(question, _nobody, PIECES), asked)
        if callable(getattr(self._real, "acomplete", None)):
            return await pushed.arun(self._real.acomplete, asked)
        return await asyncio.to_thread(pushed.run, self._real.complete, asked)

    def __getattr__(self, name: str) -> Any:
        found = None if name.startswith("_") else getattr(self._real, name)
        if name != "close" and (found is None or callable(found)):
            raise AttributeError(f"{name!r} is not read through the tap of an LLM")
        return found

    def __deepcopy__(self, memo: dict[int, Any]) -> "_TapedLLM":
        # Shipit copies the state of a run for tools that run at once. There is one tape, whoever is copied.
        return _TapedLLM(deepcopy(self._real, memo), self._tap)


class _Pushed(Iterator[Any]):
    """Take an answer from whoever pushes it, through a tap, which pulls. `pieces` is the tap's side."""

    def __init__(self, tap: Tap, question: Request) -> None:
        self.is_live = False
        self._waiting: list[Any] = []
        # A tap that records begins at once, and one that replays never does.
        self.pieces = tap.stream_now(question, self._begin, PIECES)

    def run(self, complete: Callable[..., Any], asked: Mapping[str, Any]) -> Any:
        """Ask a real LLM, and return its answer."""
        try:
            answer = complete(**self._taken(complete, asked))
        except BaseException as error:
            self._push(error)
            raise
        return self._end(answer)

    async def arun(self, complete: Callable[..., Any], asked: Mapping[str, Any]) -> Any:
        """Do the same in an event loop."""
        try:
            answer = complete(**self._taken(complete, asked))
            if isawaitable(answer):
                answer = await answer
        except BaseException as error:
            self._push(error)
            raise
        return self._end(answer)

    def __next__(self) -> Any:
        if not self._waiting:
            raise StopIteration
        item = self._waiting.pop()
        if isinstance(item, BaseException):
            raise item
        return item

    def _begin(self) -> Self:
        self.is_live = True
        return self

    def _taken(self, complete: Callable[..., Any], asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an LLM takes of what is asked, with callbacks that push before they hand out."""
        taken = {name: value for name, value in asked.items() if _TAKEN.get(name, accepts_kwarg)(complete, name)}
        return taken | {
            name: partial(self._hand_on, name, taken[name]) for name in CALLBACKS if taken.get(name) is not None
        }

    def _hand_on(self, name: str, callback: Callable[..., Any], *said: str) -> Any:
        self._push(CALLBACKS[name](*said))
        return callback(*said)

    def _end(self, answer: Any) -> Any:
        self._push({"response": answer})
        next(self.pieces, None)
        return answer

    def _push(self, item: Any) -> None:
        self._waiting.append(item)
        next(self.pieces, None)


def _played(pieces: Iterable[Any], asked: Mapping[str, Any]) -> Any:
    """Hand out recorded pieces, and return the answer."""
    answer = None
    for piece in pieces:
        answer = piece.get("response")
        hand_out(piece, asked)
    return _answer(answer)


async def _played_in_time(pieces: AsyncIterable[Any], asked: Mapping[str, Any]) -> Any:
    """Do the same in an event loop, where pieces come when they are due."""
    answer = None
    async for piece in pieces:
        answer = piece.get("response")
        hand_out(piece, asked)
    # What is handed out goes through the loop, and comes before the answer.
    await checkpoint()
    return _answer(answer)


def _answer(found: Any) -> Any:
    if found is None:
        raise CassetteError("a recorded answer to shipit has pieces, and no response behind them")
    return found


def _nobody() -> AsyncIterable[Any]:
    raise AssertionError("a replay asks nobody")


def _always(complete: Any, name: str) -> bool:
    return True


_TAKEN: Final[dict[str, Callable[[Any, str], bool]]] = {
    **dict.fromkeys(("messages", "tools", "system_prompt", "metadata"), _always),
    **dict.fromkeys(("tool_input_callback", "require_tool_call"), accepts_explicit_kwarg),
}
"""How to tell whether an LLM takes what newer versions of shipit ask; `accepts_kwarg` tells it for all others."""
