"""How the id of a test becomes the name of its cassette's file, and back.

Knows the file systems that people commit to: case-blind ones (two names that differ only in case, or in Unicode
normalisation, are one file), Windows' reserved names and characters, and the 255 bytes of one component. Does not
know any file system's state: it makes names and never looks whether they exist.

A name is ASCII. Its parts, in this order:

    test_trip[a%2fb]   the id: letters, digits and `_ - . , + = ( ) [ ]` stand for themselves; every other byte of its
                       UTF-8 is `%` and two lower-case digits, and so is a byte where file systems forbid that place
    @11                only where the id has capitals: which of its ASCII letters they are, as a bit mask (hexadecimal,
                       the lowest bit is the first letter). They are shown as well, but a folded name does without
    @h0f3a...          in place of that where the name would be too long: the 128-bit digest of the whole id

Why two ids never share a name, however it is folded or normalised: it is ASCII, so normalisation changes nothing and
folding only lowers letters. A name without `@h` can be read back from its folded form (`id_of` does), so it belongs to
one id. Two names with `@h` have equal digests only if BLAKE2b at 128 bits collides. `@` and `%` of the id itself are
escaped, so no part can be taken for another.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from playhead.errors import UsageError

SUFFIX = ".jsonl"
"""What the name of a JSON Lines cassette ends with."""

ROOM_BYTES = 24
"""How many bytes of a file's name stay free behind its suffix, for `.partial`, `.rejected` and their like."""

_DIGEST_BYTES = 16
_AMPLE_BYTES = 255
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LETTERS = _CAPITALS | frozenset("abcdefghijklmnopqrstuvwxyz")
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-.,+=()[]")
_PLAIN_BUT_DOT = _PLAIN - frozenset(b".")
_FORBIDDEN_FIRST = (".", "-")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")
_ESCAPES = re.compile(rb"%([0-9a-f]{2})")
# A `%` without digits escapes nothing, so it is free for what no id can spell.
_EMPTY = "%"
_NOT_PYTHON = "%"


def file_name(test_id: str, *, suffix: str = SUFFIX, max_bytes: int = 255) -> str:
    """Return the name of the file for an id: one path component, different for different ids.

    Any text is an id: `..`, NUL, lone surrogates, nothing at all. The name has at most `max_bytes` bytes, of which
    `ROOM_BYTES` are left free, so that a file beside it can be called `NAME.partial`. The module says how it is
    spelled. Raises `UsageError` where `max_bytes` has no room for a digest.

        >>> file_name("test_paris")
        'test_paris.jsonl'
        >>> file_name("TestTrip.test_paris[a/b]")
        'TestTrip.test_paris[a%2fb]@11.jsonl'
    """
    return _component(_pieces(test_id), test_id, max_bytes=_stem_bytes(suffix, max_bytes)) + suffix


def id_of(name: str, *, suffix: str = SUFFIX) -> str | None:
    """Return the id for which `file_name` made this name, or None where the name has only the id's digest.

    The name may have been folded to lower or upper case on its way. Raises `UsageError` for a name that `file_name`
    makes for no id.
    """
    body, _, tag = name.lower().removesuffix(suffix.lower()).partition("@")
    if tag.startswith("h"):
        return None
    found = _unescaped(body)
    if found is not None and re.fullmatch("[0-9a-f]*", tag):
        found = _with_capitals(found, int(tag or "0", 16))
        if file_name(found, suffix=suffix, max_bytes=_AMPLE_BYTES + 4 * len(name)).lower() == name.lower():
            return found
    raise UsageError(f"{name!r} is not the name of a cassette: file_name() makes no such name")


def cassette_path(node_id: str, *, suffix: str = SUFFIX, max_bytes: int = 255) -> PurePosixPath:
    """Return where the cassette of a pytest node lies, relative to the folder `cassettes` beside the test's module.

    The folder of the module is left out: the caller knows it as a real path. Different nodes of one folder get
    different paths, by the argument that holds for `file_name`. An id without `::` gives a single component.

        >>> str(cassette_path("tests/test_trip.py::test_paris"))
        'test_trip/test_paris.jsonl'
        >>> str(cassette_path("tests/test_trip.py::TestX::test_paris[a/b]"))
        'test_trip/TestX.test_paris[a%2fb]@11.jsonl'
    """
    module, separator, inner = node_id.partition("::")
    if not separator:
        return PurePosixPath(file_name(node_id, suffix=suffix, max_bytes=max_bytes))
    stem = _component(_node_pieces(inner), inner, max_bytes=_stem_bytes(suffix, max_bytes))
    return PurePosixPath(_module_folder(module, max_bytes), stem + suffix)


def _stem_bytes(suffix: str, max_bytes: int) -> int:
    return max_bytes - ROOM_BYTES - len(suffix.encode())


def _module_folder(module: str, max_bytes: int) -> str:
    name = module.rpartition("/")[2]
    python = name.endswith(".py")
    # A doctest file may be called like a module without its suffix.
    mark = "" if python else _NOT_PYTHON
    stem = name.removesuffix(".py") if python else name
    return _component(_pieces(stem), stem, max_bytes=max_bytes - len(mark)) + mark


def _node_pieces(inner: str) -> list[str]:
    """Spell `Class::function[parameters]`. A dot joins the names, so a dot inside one of them is escaped."""
    names, bracket, parameters = inner.partition("[")
    pieces: list[str] = []
    for name in names.split("::"):
        pieces += [*_pieces(name, plain=_PLAIN_BUT_DOT), "."]
    pieces.pop()
    return pieces + (_pieces(bracket + parameters) if bracket else [])


def _pieces(text: str, *, plain: frozenset[int] = _PLAIN) -> list[str]:
    """Spell each byte of a text: as itself, capitals included, or escaped. No text is one piece, too."""
    encoded = _bytes(text)
    return [
        chr(shown) if low in plain else f"%{low:02x}" for shown, low in zip(encoded, encoded.lower(), strict=True)
    ] or [_EMPTY]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _component(pieces: Sequence[str], text: str, *, max_bytes: int) -> str:
    placed = _placed(list(pieces))
    component = "".join(placed) + _capitals_tag(text)
    if len(component) <= max_bytes:
        return component
    tag = "@h" + hashlib.blake2b(_bytes(text), digest_size=_DIGEST_BYTES).hexdigest()
    if len(tag) > max_bytes:
        raise UsageError(f"a name of {max_bytes} bytes has no room for the {len(tag)} bytes of a digest: allow more")
    return _cut(placed, max_bytes - len(tag)) + tag


def _placed(pieces: list[str]) -> list[str]:
    """Escape what may not stand at the beginning or at the end, or would make the whole a reserved name."""
    if pieces[0] in _FORBIDDEN_FIRST or _RESERVED.match("".join(pieces).lower()):
        pieces[0] = f"%{ord(pieces[0].lower()):02x}"
    if pieces[-1] == ".":
        pieces[-1] = "%2e"
    return pieces


def _cut(pieces: Sequence[str], max_bytes: int) -> str:
    kept, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > max_bytes:
            break
        kept.append(piece)
    return "".join(kept)


def _capitals_tag(text: str) -> str:
    letters = [character for character in text if character in _LETTERS]
    mask = sum(1 << place for place, letter in enumerate(letters) if letter in _CAPITALS)
    return f"@{mask:x}" if mask else ""


def _with_capitals(text: str, mask: int) -> str:
    characters, place = list(text), 0
    for index, character in enumerate(characters):
        if character in _LETTERS:
            if mask >> place & 1:
                characters[index] = character.upper()
            place += 1
    return "".join(characters)


def _unescaped(body: str) -> str | None:
    if body == _EMPTY:
        return ""
    raw = _ESCAPES.sub(lambda escape: bytes.fromhex(escape[1].decode()), _bytes(body))
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
