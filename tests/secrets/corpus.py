"""Keys that open nothing, in every disguise in which a recording may meet one.

The keys are drawn when they are needed. A disguise takes a key and returns JSON values, which are recorded in order.
"""

import base64
import itertools
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect, Op, Verb
from tests.cassettes.redact.fakes import PROVIDER_KEYS

Disguise = Callable[[str], Any]


def keys(seed: int = 7) -> list[tuple[str, str]]:
    """Return a key of every maker, with its kind. The same seed gives the same keys."""
    chance = random.Random(seed)
    return [(kind, make(chance)) for kind, makers in PROVIDER_KEYS.items() for make in makers]


def escaped(text: str) -> str:
    """Spell each character as JSON's `\\u....`."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


def nested(value: Any, times: int) -> Any:
    """Put a value into a string of JSON, so many times."""
    for _ in range(times):
        value = json.dumps({"inner": value})
    return value


DISGUISES: dict[str, Disguise] = {
    "alone in a string": lambda key: {"result": key},
    "in the middle of a sentence": lambda key: {"text": f"My key is {key}, keep it."},
    "as the key of an object": lambda key: {key: 1},
    "in a list in a list": lambda key: {"rows": [["a", [key]]]},
    "in JSON in a string": lambda key: {"arguments": nested(key, 1)},
    "in JSON in a string, twice": lambda key: {"arguments": nested(key, 2)},
    "in JSON in a string, five times": lambda key: {"arguments": nested(key, 5)},
    "in JSON in a sentence": lambda key: {"error": f"401: {nested(key, 1)}, said the server"},
    "in a query": lambda key: {"url": f"https://api.example/v1?q=1&api_key={key}"},
    "in a query, percent-encoded": lambda key: {"url": f"https://api.example/v1?q=1&api_key={quote(key, safe='')}"},
    "in a form": lambda key: {"body": f"grant_type=refresh&token={quote(key, safe='')}"},
    "in a sentence, percent-encoded": lambda key: {"text": f"see {quote(key, safe='')} there"},
    "as the user of a URL": lambda key: {"url": f"https://{quote(key, safe='')}@api.example/v1"},
    "as the password of a URL": lambda key: {"url": f"https://me:{quote(key, safe='')}@api.example/v1"},
    "in a header, lower case": lambda key: {"headers": [["x-api-key", key]]},
    "in a header, upper case": lambda key: {"headers": {"X-API-KEY": key}},
    "behind Bearer": lambda key: {"headers": {"Authorization": f"Bearer {key}"}},
    "in a shell command": lambda key: {"command": f"API_KEY='{key}' ./run"},
    "in a Python repr": lambda key: {"error": repr({"key": key})},
    "in a table of HTML": lambda key: {"page": f"<td>{key}</td>"},
    "behind a colour of the terminal": lambda key: {"text": f"\x1b[31m{key}\x1b[0m"},
    "percent-encoded twice": lambda key: {"text": quote(quote(key, safe=""), safe="")},
    "in base64": lambda key: {"blob": base64.b64encode(key.encode()).decode()},
    "backwards": lambda key: {"text": key[::-1]},
    "with blanks between its characters": lambda key: {"text": " ".join(key)},
    "with a line break in it": lambda key: {"text": f"{key[:9]}\n{key[9:]}"},
    "with a character of no width in it": lambda key: {"text": f"{key[:9]}\u200b{key[9:]}"},
}
"""Disguises of whole keys."""

NOT_CAUGHT = {
    "percent-encoded twice",
    "in base64",
    "backwards",
    "with blanks between its characters",
    "with a line break in it",
    "with a character of no width in it",
}
"""What nobody can catch without taking harmless data for secrets."""


def feeding(op: Op, kind: str, tag: str, text: str = "old") -> dict[str, Any]:
    """Return an event that feeds a text to a span, and nothing else."""
    event: dict[str, Any] = {}
    told = op.among[0] if op.among else True
    for where, value in [(op.when, told), (op.text, text)] if op.when and told else [(op.text, text)]:
        holder: dict[str, Any] = event
        for step in where[:-1]:
            holder = holder.setdefault(step.split("|")[-1], {})
        holder[where[-1].split("|")[-1]] = value
    held: Any = event
    for step in reversed(op.each):
        held = [held] if step == "*" else {step: held}
    return {**held, tag: kind}


def feeds(dialect: str | Dialect) -> Iterator[tuple[str, Op]]:
    """Yield each type of event of a dialect that feeds text, and the operation."""
    for kind, ops in get_dialect(dialect).ops.items():
        for op in ops:
            if op.verb is Verb.FEED and op.text:
                yield kind, op


def cuts_in_two(text: str) -> Iterator[list[str]]:
    """Yield a text cut in two, at each place."""
    for place in range(1, len(text)):
        yield [text[:place], text[place:]]


def cuts_in_three(text: str, seed: int, amount: int) -> Iterator[list[str]]:
    """Yield a text cut in three, at places that are drawn."""
    chance = random.Random(seed)
    for _ in range(amount):
        first, second = sorted(chance.sample(range(1, len(text)), 2))
        yield [text[:first], text[first:second], text[second:]]


def joined(values: list[Any]) -> str:
    """Return all that values say, the texts of each place joined: what a reader can put together."""
    texts: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for value in values:
        for where, text in _leaves(value, ()):
            texts[where].append(text)
    return "\n".join(itertools.chain.from_iterable(("".join(parts),) for parts in texts.values()))


def _leaves(value: Any, where: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    match value:
        case str():
            yield where, value
        case bytes():
            yield where, value.decode("latin-1")
        case dict():
            for key, item in value.items():
                yield (*where, "key"), key
                yield from _leaves(item, (*where, key))
        case list():
            for number, item in enumerate(value):
                yield from _leaves(item, (*where, number))


def leaks(key: str, told: str) -> bool:
    """Tell whether the middle of a key can be read in what was told."""
    middle = len(key) // 2
    return key[middle : middle + 10] in told
