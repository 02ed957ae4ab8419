"""Which adapter a model or a tool belongs to, found by where its class comes from.

Knows the adapters by name, as a table, and loads one when it is needed. Does not know what they do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from playhead.errors import UsageError
from playhead.models.tap import Tap
from playhead.text import did_you_mean


@dataclass(frozen=True, slots=True)
class Framework:
    """Describe a framework: `package` is what its classes come from, `dialect` that of its events if it has one.

    `model` is what its adapter calls what puts a model behind a tap.
    """

    name: str
    package: str
    adapter: str
    model: str = "model"
    dialect: str | None = None

    def tapped(self, real: Any, tap: Tap, options: Mapping[str, Any]) -> Any:
        """Return a model behind a tap."""
        return getattr(import_module(self.adapter), self.model)(real, tap, **options)

    def tools(self, tools: Iterable[Any], tap: Tap) -> list[Any]:
        """Return tools behind a tap."""
        wrap: Callable[..., list[Any]] | None = getattr(import_module(self.adapter), "tools", None)
        return tap.tools(tools) if wrap is None else wrap(tools, tap)


FRAMEWORKS: Final = MappingProxyType(
    {
        framework.name: framework
        for framework in (
            Framework("locus", "locus", "playhead.adapters.locus", dialect="locus"),
            Framework("shipit", "shipit_agent", "playhead.adapters.shipit", model="llm", dialect="shipit"),
            Framework("pydantic_ai", "pydantic_ai", "playhead.adapters.pydantic_ai"),
            Framework("openai_agents", "agents", "playhead.adapters.openai_agents"),
            Framework("playhead", "playhead", "playhead.plugin.own", dialect="locus"),
        )
    }
)
"""The frameworks that have an adapter, by name. The last one is Playhead's own: scripted models, and functions."""


def named(name: str) -> Framework:
    """Return a framework by its name. Raises `UsageError` for one that there is not."""
    if name not in FRAMEWORKS:
        hint = did_you_mean(name, FRAMEWORKS)
        raise UsageError(f"there is no framework {name!r}: there are {', '.join(FRAMEWORKS)}{hint}")
    return FRAMEWORKS[name]


def framework_of(value: Any) -> Framework | None:
    """Return the framework that an object's class, or one that it derives from, comes from."""
    for kind in type(value).__mro__:
        package = kind.__module__.partition(".")[0]
        for framework in FRAMEWORKS.values():
            if framework.package == package:
                return framework
    return None


def framework_of_tools(tools: Iterable[Any], name: str | None, known: Framework | None) -> Framework | None:
    """Return the framework of tools: the one named, their own, or the one that is known; None for mere functions."""
    if name is not None:
        return named(name)
    return next((found for found in map(framework_of, tools) if found is not None), known)


def framework_of_model(model: Any, name: str | None) -> Framework:
    """Return the framework of a model: the one named, or its own; a function is a model, too. Raises `UsageError`."""
    if name is not None:
        return named(name)
    found = framework_of(model)
    if found is not None:
        return found
    if callable(model):
        return FRAMEWORKS["playhead"]
    what = "None" if model is None else f"{type(model).__module__}.{type(model).__qualname__}"
    raise UsageError(
        f"tape.model({what}) does not say whose model it is: give framework= one of {', '.join(FRAMEWORKS)}"
    )
