"""What the golden file of an assertion is called: different assertions never share one.

Knows how a test's id and an assertion's index become a name, on file systems that are blind to case, too. The spelling
is that of cassettes (`playhead.cassettes.naming`). Does not know where the files lie.

A name is the test's, its capitals marked behind a dot, and for all but the first assertion of a test the index:
`test_trip.~1`, or `test_trip.~[final]` for one that has a name. The spelling of a test escapes `~` and `@`, so no index
is taken for a test. The dots are for syrupy, which by itself takes `test_trip[a].` for the beginning of a name.
"""

import re
from urllib.parse import unquote

from playhead.cassettes.naming import cassette_path, file_name
from playhead.text import safe

_MAX_INDEX_BYTES = 96
_CAPITALS = re.compile(r"\.?@[0-9a-f]+(?=\.~|\]?$)")


def stem(node_id: str, index: int | str, *, suffix: str) -> str:
    """Return the name of the file for an assertion of a test, without the suffix that it will have.

    >>> stem("tests/test_trip.py::test_paris[a/B]", 1, suffix=".sse")
    'test_paris[a%2fB].@400.~1'
    """
    mark = f".~[{file_name(index, suffix='', max_bytes=_MAX_INDEX_BYTES)}]" if isinstance(index, str) else f".~{index}"
    ending = suffix if index == 0 else mark + suffix
    # A capital's mark in the index stays as it is: the first one is the test's, if it has any.
    test, _, rest = cassette_path(node_id, suffix=ending).name.removesuffix(ending).partition("@")
    return "".join([test, f".@{rest}" if rest else "", "" if index == 0 else mark])


def owner(found: str) -> str:
    """Return the part of a name that is the test's."""
    return found.partition(".~")[0]


def shown(found: str) -> str:
    """Return a name as syrupy would spell it, with the test's own characters, and nothing that could steer a terminal.

    >>> shown("test_paris[a%2fB].@400.~1")
    'test_paris[a/B].1'
    """
    test, _, index = _CAPITALS.sub("", found).partition(".~")
    ending = index if index.startswith("[") else f".{index}"
    return safe(unquote(test + ending if index else test, errors="backslashreplace"), keep="")
