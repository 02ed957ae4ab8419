"""shipit's tools, through a tap.

Knows how shipit runs a tool. Does not know what a tap does with a question. Importing this module without shipit raises
`UsageError`.
"""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from copy import deepcopy
from functools import partial
from inspect import isawaitable
from typing import Any

from playhead.adapters.shipit.values import RESULTS, plain
from playhead.errors import UsageError
from playhead.models.tap import Tap

try:
    from shipit_agent.tools.function import FunctionTool
except ImportError as _error:
    raise UsageError("this needs shipit, which is not installed: pip install 'playhead[shipit]'") from _error

ShipitTool = Any
"""What shipit takes for a tool."""


def tools(tools: Iterable[ShipitTool | Callable[..., Any]], tap: Tap) -> list[ShipitTool]:
    """Return these tools of shipit, each through a tap; a plain function is made a tool first.

    All that an agent sees of a tool stays, its class included. A replay gives the recorded results, in the recorded
    order of completion, and runs none of them. The pieces of a result that is streamed come together, when the tool has
    ended. What a tool does to the run's state is not taped, so one that lives on it is better left out; and a tool that
    runs an agent of its own must not be given: give the LLM and the tools of that agent.
    """
    return [_TapedTool(each if hasattr(each, "run") else FunctionTool.from_callable(each), tap) for each in tools]


class _TapedTool:
    """Run a tool through a tap."""

    def __init__(self, tool: ShipitTool, tap: Tap) -> None:
        vars(self).update(_tool=tool, _tap=tap)

    def run(self, context: Any, /, **arguments: Any) -> Any:
        """Return the tool's result."""
        live = partial(_whole, self._tool.run, context, arguments)
        return self._tap.ask_now(self._question(arguments), live, RESULTS, kind="tool_call")

    async def _arun(self, run: Callable[..., Any], context: Any, /, **arguments: Any) -> Any:
        live = partial(_awhole, run, context, arguments)
        return await self._tap.ask(self._question(arguments), live, RESULTS, kind="tool_call")

    def _question(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"name": self._tool.name, "arguments": plain(arguments)}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(vars(self)["_tool"], name)
        return partial(self._arun, found) if name in ("arun", "run_async") and callable(found) else found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._tool, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_TapedTool":
        return _TapedTool(deepcopy(self._tool, memo), self._tap)

    # What asks a tool for its class means the tool's.
    __class__ = property(lambda self: type(vars(self)["_tool"]))


def _whole(run: Callable[..., Any], context: Any, arguments: Mapping[str, Any]) -> Any:
    result = run(context, **arguments)
    return list(result) if _is_streamed(result) else result


async def _awhole(run: Callable[..., Any], context: Any, arguments: Mapping[str, Any]) -> Any:
    result = run(context, **arguments)
    if isawaitable(result):
        result = await result
    if isinstance(result, AsyncIterable):
        return [piece async for piece in result]
    return list(result) if _is_streamed(result) else result


def _is_streamed(result: Any) -> bool:
    return isinstance(result, Iterable) and not isinstance(result, str | bytes) and not hasattr(result, "text")
