"""Taking the secrets out of what will be written.

Knows when a secret is replaced, and by what. Does not know what secrets look like (`patterns`), how they are found
(`scanner`), or what happens to the result. Pure: values in, values out, nothing is read from the machine.
"""

import json
import re
from collections.abc import Iterable, Sequence

from playhead.cassettes.redact.judges import is_given
from playhead.cassettes.redact.ledger import PLACEHOLDER, Ledger
from playhead.cassettes.redact.patterns import DEFAULT_RULES, SECRET_HEADERS
from playhead.cassettes.redact.scanner import Span, is_unicode, scanner
from playhead.cassettes.redact.strings import edit_strings
from playhead.errors import UsageError

_SCHEME = re.compile(r"(?:basic|bearer|token|apikey|digest|negotiate)[ \t]+", re.IGNORECASE)
# A replacement can bring to light what stood behind the secret; a few rounds are enough for any real text.
_MAX_ROUNDS = 8
_MAX_NESTING = 12


class Redactor:
    """Replace secrets by numbered placeholders such as `<openai-key-1>`.

    One redactor belongs to one cassette: equal secrets get equal placeholders, numbered in the order in which they are
    first met, so the same inputs in the same order always give the same outputs. Redacted text passes unchanged, and
    the numbers of the placeholders in it are not given to other secrets.

    `rules` names what is looked for: None for the default rules, `()` for nothing at all. `home` are directories that
    belong to a person, beside `/home/NAME`, `/Users/NAME` and Windows' `Users`; `names` are user names to be taken
    out of every path. Not safe to use from several threads at once. Raises `UsageError` for an unknown rule.
    """

    def __init__(
        self, rules: Sequence[str] | None = None, *, home: Sequence[str] = (), names: Sequence[str] = ()
    ) -> None:
        self._rules = DEFAULT_RULES if rules is None else tuple(rules)
        self._scanner = scanner(self._rules, tuple(home), tuple(names)) if self._rules else None
        self._headers = "headers" in self._rules
        self._ledger = Ledger()
        self._nesting = 0
        self._opening: tuple[str, int, int] | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that are on, for the cassette's header."""
        return self._rules

    @property
    def hits(self) -> dict[str, int]:
        """How often a secret of each kind was replaced, for the cassette's seal."""
        return dict(self._ledger.hits)

    def json(self, data: bytes) -> bytes:
        """Return a JSON text without secrets: the very object where it has none.

        Strings are looked at decoded, JSON inside strings as well, and each beside its key. What is not secret keeps
        its bytes. The result is JSON of the same shape. Raises `UsageError` for what is not UTF-8.
        """
        scanner = self._scanner
        if scanner is None:
            return data
        text: str | bytes = data if data.isascii() else _utf8(data)
        if not (scanner.has_anchor(text) and scanner.is_suspect(text)):
            return data
        old = _utf8(data)
        self._ledger.reserve(old)
        new = edit_strings(old, self._string)
        return data if new is old else new.encode()

    def may_open(self, data: bytes) -> bool:
        """Tell whether a string in JSON, or in its beginning, may end with the beginning of a secret."""
        return self._scanner is not None and self._scanner.may_open_string(data if data.isascii() else _readable(data))

    def text(self, text: str) -> str:
        """Return a text without secrets: the very object where it has none. Lone surrogates are text as well."""
        if self.is_clean(text):
            return text
        self._ledger.reserve(text)
        return self._redacted(text, 0)

    def bytes(self, data: bytes) -> bytes:
        """Return bytes of any encoding without secrets: the very object where they have none."""
        encoding = "utf-8"
        try:
            old = data.decode(encoding)
        except UnicodeDecodeError:
            # Every secret is ASCII, and Latin-1 gives each byte its own character.
            encoding = "latin-1"
            old = data.decode(encoding)
        new = self.text(old)
        return data if new is old else new.encode(encoding)

    def headers(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return HTTP headers without secrets: the values of telling names whole, in all others what looks secret."""
        return [(name, self._string(value, name)) for name, value in pairs]

    def is_clean(self, text: str) -> bool:
        """Tell whether a text surely has no secret. False means that it must be looked at."""
        scanner = self._scanner
        if scanner is None:
            return True
        if not is_unicode(text):
            return False
        return not (scanner.has_anchor(text) and scanner.is_suspect(text))

    def is_whole(self, text: str, start: int) -> bool:
        """Tell whether a text surely has no secret, and none can begin in it at `start` or later."""
        scanner = self._scanner
        if scanner is None:
            return True
        if not is_unicode(text) or (scanner.has_anchor(text) and scanner.is_suspect(text)):
            return False
        return not scanner.may_open(text) or self.opening(text, start) == len(text)

    def spans(self, text: str, start: int = 0) -> list[Span]:
        """Return where a text has secrets that begin at `start` or later."""
        return self._scanner.spans(text, start) if self._scanner else []

    def opening(self, text: str, start: int = 0) -> int:
        """Return where the last, unfinished part of a text begins that may grow into a secret; its length if none."""
        if self._scanner is None:
            return len(text)
        # Who asks whether anything waits asks next what: the answer costs more than to compare the question.
        if self._opening is None or self._opening[:2] != (text, start):
            self._opening = (text, start, self._scanner.opening(text, start))
        return self._opening[2]

    def reserve(self, text: str) -> None:
        """Leave out the numbers of the placeholders in a text: for whoever goes on with an older cassette."""
        self._ledger.reserve(text)

    def placeholder(self, secret: str, *, kind: str) -> str:
        """Return what to write in place of a secret, and count it."""
        return self._ledger.placeholder(secret, kind=kind)

    def __repr__(self) -> str:
        return f"Redactor({self._rules!r}, hits={self._ledger.hits!r})"

    def _string(self, text: str, name: str | None) -> str:
        """Redact one string of JSON, or one header, knowing what it is called."""
        if name is not None and self._headers and name.lower() in SECRET_HEADERS:
            return self._header(text, name.lower())
        context = "" if name is None else f"{name}: "
        if self.is_clean(context + text):
            return text
        nested = self._nested(text)
        if nested is not None:
            return nested
        if name is not None and self._scanner and not PLACEHOLDER.search(text):
            kind = self._scanner.kind_beside(name, text)
            if kind:
                return self._whole(text, kind)
        return self._redacted(context + text, len(context))[len(context) :]

    def _header(self, value: str, name: str) -> str:
        scheme = _SCHEME.match(value)
        start = scheme.end() if scheme else 0
        secret = value[start:]
        if not secret or not is_given(secret) or PLACEHOLDER.fullmatch(secret):
            return value
        if name in ("cookie", "cookie2", "set-cookie") and "=" not in secret:
            return value
        return value[:start] + self._whole(secret, name)

    def _whole(self, secret: str, kind: str) -> str:
        """Replace a whole text, under the kind of its own look if it has one."""
        found = self.spans(secret)
        known = len(found) == 1 and (found[0].start, found[0].end) == (0, len(secret))
        return self.placeholder(secret, kind=found[0].kind if known else kind)

    def _nested(self, text: str) -> str | None:
        """Redact a string that is JSON itself, or return None where it is not."""
        if not text.lstrip().startswith(("{", "[")) or self._nesting >= _MAX_NESTING or not _is_json(text):
            return None
        self._nesting += 1
        try:
            return edit_strings(text, self._string)
        finally:
            self._nesting -= 1

    def _redacted(self, text: str, start: int) -> str:
        for _ in range(_MAX_ROUNDS):
            found = self.spans(text, start)
            if not found:
                break
            pieces, done = [], 0
            for span in found:
                pieces += [text[done : span.start], self.placeholder(text[span.start : span.end], kind=span.kind)]
                done = span.end
            text = "".join((*pieces, text[done:]))
        return text


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        where = f"byte {error.start} of {len(data)}"
        raise UsageError(f"cannot redact JSON that is not UTF-8: {where} begins no character") from None


def _readable(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
