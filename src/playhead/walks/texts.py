"""Texts that have broken stream handlers before, and the names, arguments and thoughts that runs are filled with.

Knows pools: nearly every text of a run is taken out of one by its number. The first of a pool is the simplest.
"""

from typing import Any, Final

TEXTS: Final = (
    "a",
    *("", "b", " lead", "trail ", "é", "雨", "🌧️", "e\u0301", "שלום", "a\u202eb"),
    *("\n", "\r", "\r\n", "a\n\nb", "data: x\n\n", ": y", "\u2028", "\ufeff", "\x00", "\x1b[31m", '"}', "\\u00e9"),
    *("null", "0", "[DONE]", "done", "error", "</script>", "x" * 300, "日本" * 40),
)
"""Texts for answers, results and errors. All of them have a place in JSON and in UTF-8."""

SURROGATES: Final = ("\ud800", "a\udfff", "\udf27\ud83c")
"""Texts with half of a surrogate pair, as a model sends them that is cut inside an emoji. UTF-8 cannot carry them."""

NAMES: Final = ("search", "add", "天気", "get_weather")
"""Names of tools, agents and steps."""

ARGUMENTS: Final[tuple[tuple[str, ...], ...]] = (
    ("{}",),
    ('{"city": ', '"Paris"}'),
    ('{"city": "Zü', 'rich", "days": [1, ', "2]}"),
    ('{"text": "\\ud83c\\udf27\\n', "\\u2028", '", "n": null', "}"),
    ("{", '"a"', ":", "-1.5e3", "}"),
)
"""The JSON of a tool's arguments, in the pieces in which it streams."""

OBJECTS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"city": "Paris"},
    {"city": "Zürich", "days": [1, 2]},
    {"": None, "nested": {"deep": [{}, [], True, 1.5]}},
    {"n": 2**60, "text": "a\n\nb"},
)
"""Objects where any object may stand: arguments, metadata, state."""
