"""What recorded text must pass through before a person sees it, and small helpers for messages.

Knows which characters can steer a terminal or hide text, how wide text is, and where it may be cut. Does not know
colours, terminals or layouts. Pure: text in, text out.
"""

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from wcwidth import iter_graphemes, wcswidth

from playhead.errors import UsageError

_KEEPABLE = frozenset("\n\t")

_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for newline and tab, DEL, C1: they steer the terminal
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi marks, embeddings, overrides, isolates: they reorder text
    "\u2028\u2029"  # line and paragraph separators: some viewers break the line there
    "\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb"  # take no column, so they hide inside words
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # the same for shorthand and music
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # tag characters, a whole hidden ASCII, and what is reserved beside
    "\ud800-\udfff"  # lone surrogates: writing them raises UnicodeEncodeError
)
_JOINERS = "\u200c\u200d"
_VARIATION_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_BLACK_FLAG = "\U0001f3f4"
# England, Scotland, Wales: the only sequences of tag characters that Unicode recommends.
_FLAG_TAGS = tuple(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f" for region in ("gbeng", "gbsct", "gbwls")
)


def safe(text: str, *, keep: str = "\n\t") -> str:
    r"""Make every character visible that could steer a terminal or hide from its reader.

    Control characters, bidi controls, line separators, invisible format characters, tag characters and lone
    surrogates become Python escapes: ESC is shown as `\x1b`. The flags of England, Scotland and Wales keep their
    tags. One joiner (ZWJ, ZWNJ) or variation selector in a row stays, since emoji and many scripts need it; more in a
    row can only carry hidden data and are shown. Combining marks stay.

    `keep` names the control characters that stay: newline and tab, or fewer. Anything else in it is a `UsageError`.
    Clean text comes back as the same object, and `safe(safe(text)) == safe(text)`: a backslash is not escaped, so
    the result is for reading and cannot be decoded.
    """
    if text.isascii() and text.isprintable():
        return text
    pattern = _hidden(keep)
    return pattern.sub(_visible, text) if pattern.search(text) else text


def safe_json(text: str) -> str:
    r"""Make strict JSON text safe as `safe` does, with the escapes of JSON: it stays the same JSON.

    Only what could steer or hide is escaped, so numbers keep their spelling: ESC is shown as `\u001b`.
    """
    if text.isascii() and text.isprintable():
        return text
    return _hidden("\n\t").sub(_escaped, text)


def columns(text: str) -> int:
    """Count the terminal columns that text takes on one line.

    Widths are those of grapheme clusters: CJK and emoji take 2, a combining mark none. A control character, newline
    and tab included, counts 1; make text `safe` first to count what is really shown.
    """
    if text.isascii():
        return len(text) - text.count("\r\n")
    return sum(map(_cluster_columns, iter_graphemes(text)))


def clip(text: str, max_columns: int, *, ellipsis: str = "…") -> str:
    """Cut text to at most `max_columns` columns, as `columns` counts them.

    Text that fits comes back as the same object. Other text is cut between two grapheme clusters, and `ellipsis` is
    put at its end, within the limit; where not even that fits, what fits of it is all that is returned.
    """
    if len(text) <= max_columns and text.isascii():
        return text
    room = max_columns - columns(ellipsis)
    used = end = kept = 0
    for cluster in iter_graphemes(text):
        used += _cluster_columns(cluster)
        if used > max_columns:
            return text[:kept] + ellipsis if room >= 0 else clip(ellipsis, max_columns, ellipsis="")
        end += len(cluster)
        if used <= room:
            kept = end
    return text


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like `name`, or None where none comes close. Case does not count."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about a name that is unknown: `"; did you mean 'locus'?"`, or nothing."""
    close = nearest(name, known)
    return f"; did you mean {close!r}?" if close else ""


def and_more(items: Iterable[str], limit: int) -> str:
    """List the first `limit` items for a sentence: `"a, b and c"`, or `"a, b and 12 more"` where there are more."""
    names = list(items)
    parts = names[: max(0, limit)]
    if len(parts) < len(names):
        parts.append(f"{len(names) - len(parts)} more")
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


@lru_cache(maxsize=8)
def _hidden(keep: str) -> re.Pattern[str]:
    if not _KEEPABLE.issuperset(keep):
        raise UsageError(f"safe(keep={keep!r}): only newline and tab can be kept, no other character is safe to print")
    hidden = _HIDDEN + "".join(_KEEPABLE.difference(keep))
    # One class first, and what it matched is looked at from behind: the regex engine then skips clean text fast.
    return re.compile(
        f"[{hidden}{_JOINERS}{_VARIATION_SELECTORS}{_BLACK_FLAG}]"
        f"(?:(?<=[{hidden}])|(?<=[{_JOINERS}]{{2}})|(?<=[{_VARIATION_SELECTORS}]{{2}})"
        f"|(?<={_BLACK_FLAG})(?:{'|'.join(_FLAG_TAGS)}))"
    )


def _visible(match: re.Match[str]) -> str:
    hidden = match.group()
    return hidden if hidden[0] == _BLACK_FLAG else hidden.encode("unicode_escape").decode("ascii")


def _escaped(match: re.Match[str]) -> str:
    hidden = match.group()
    if hidden[0] == _BLACK_FLAG:
        return hidden
    # Strict JSON has it as it is between values only, where an escape would be no JSON.
    return " " if hidden == "\r" else json.dumps(hidden)[1:-1]


@lru_cache(maxsize=4096)
def _cluster_columns(cluster: str) -> int:
    # What wcswidth says of control characters depends on its version.
    return 1 if unicodedata.category(cluster[0]) == "Cc" else max(0, wcswidth(cluster))
