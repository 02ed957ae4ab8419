"""What a model is asked, whoever asks: messages, tools, and everything else by its name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to a model.

    `messages` are mappings with `role` and `content`, as the asking side spells them. `tools` are the tools that the
    model may call, each a mapping with at least a `name`. `options` holds the rest: temperature, format and so on.
    """

    messages: tuple[Mapping[str, Any], ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    model: str = ""
    is_stream: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
