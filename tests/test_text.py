"""Tests of playhead.text: nothing recorded can steer a terminal, and nothing cut is cut through a character."""

import json
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from playhead.errors import UsageError
from playhead.text import and_more, clip, columns, nearest, safe, safe_json

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
GERMANY = "\U0001f1e9\U0001f1ea"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
RED_HEART = "\u2764\ufe0f"

# Letters, marks and emoji that combine, beside everything that must not come through.
PIECES = [
    "a",
    "e\u0301",
    "日",
    "ก็",
    "क्षि",
    FAMILY,
    GERMANY,
    SCOTLAND,
    RED_HEART,
    "\u200d",
    "\ufe0f",
    "\U000e0067",
    "\x1b[2J",
]
TEXTS = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=())),
    st.lists(st.sampled_from([*PIECES, "\n", "\t", "\r", "\u202e", "\ud800", "\u0600"]) | st.characters()).map("".join),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\rb\x08\x00\x7f", r"a\rb\x08\x00\x7f"),
        ("\x9b2J \x85", r"\x9b2J \x85"),
        ("user\u202egpj.exe", r"user\u202egpj.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", r"\u2066a\u2069\u200e\u200f\u061c"),
        ("one\u2028two\u2029", r"one\u2028two\u2029"),
        ("pay\u200bpal\u2060\ufeff", r"pay\u200bpal\u2060\ufeff"),
        ("ok\U000e0069\U000e0067", r"ok\U000e0069\U000e0067"),
        ("half \ud83d", r"half \ud83d"),
        ("a\ufe00\ufe01\U000e0100b", r"a" + "\ufe00" + r"\ufe01\U000e0100b"),
        ("a\u200c\u200d\u200cb", "a\u200c" + r"\u200d\u200cb"),
        ("\U0001f3f4\U000e0075\U000e0073\U000e007f", "\U0001f3f4" + r"\U000e0075\U000e0073\U000e007f"),
    ],
)
def test_what_steers_or_hides_is_made_visible(text: str, shown: str) -> None:
    """Each kind of dangerous character comes out as its Python escape."""
    assert safe(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "naïve café",
        "日本語",
        "e\u0301\u0323",
        "می\u200cخواهم",
        "क्\u200dष",
        FAMILY,
        GERMANY,
        RED_HEART,
        "\u00a0",
        "\u2764\ufe0f\u200d\U0001f525",
        "two\nlines\tand a tab",
        "C:\\new",
        "\U0001f3f4 \U0001f3f4\u200d\u2620\ufe0f",
    ],
)
def test_clean_text_comes_back_as_the_same_object(text: str) -> None:
    """Text of any script and with any emoji is not even copied."""
    assert safe(text) is text


def test_the_flags_of_england_scotland_and_wales_stay() -> None:
    """A recommended sequence of tag characters is a flag, next to one that is not."""
    assert safe(f"{SCOTLAND}\U000e0041") == rf"{SCOTLAND}\U000e0041"


def test_keep_says_which_control_characters_stay() -> None:
    """Newline and tab stay by default, and are shown where a line must stay one line."""
    assert safe("a\n\tb") == "a\n\tb"
    assert safe("a\n\tb", keep="\n") == "a\n\\tb"
    assert safe("a\n\tb", keep="") == "a\\n\\tb"


@pytest.mark.parametrize("keep", ["\x1b", "\r", "\n\t\r", "a", "]"])
def test_nothing_but_newline_and_tab_can_be_kept(keep: str) -> None:
    """The one gate to the terminal has no back door."""
    with pytest.raises(UsageError, match="only newline and tab"):
        safe("\x1b", keep=keep)


def test_every_code_point_is_either_printable_or_shown() -> None:
    """Of all of Unicode, no control, separator, surrogate or bidi control passes, and no letter is touched."""
    bidi_controls = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN", "B", "S"}
    joiners = "\u200c\u200d"
    visible_formats = {"\u00ad"}  # a soft hyphen takes a column
    for character in map(chr, range(sys.maxunicode + 1)):
        kind = unicodedata.category(character)
        steers = kind in {"Cc", "Cs", "Zl", "Zp"} or (
            kind == "Cf" and unicodedata.bidirectional(character) in bidi_controls and character not in joiners
        )
        if steers and character not in visible_formats:
            assert safe(character, keep="").isascii(), f"U+{ord(character):04X} passed"
        elif kind[0] in "LMNPS":
            assert safe(character) == character, f"U+{ord(character):04X} was touched"


@given(TEXTS)
@example("\x1b\ud800\n\u202e" + SCOTLAND + "\U000e0067")
def test_safe_is_idempotent_and_can_be_encoded(text: str) -> None:
    """What went through once may go through again, and every terminal's encoder takes it."""
    shown = safe(text)
    assert safe(shown) == shown
    shown.encode("utf-8")
    assert all(character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"} for character in shown)


@given(TEXTS)
def test_safe_without_exceptions_leaves_one_line(text: str) -> None:
    """With nothing kept, no viewer finds a second line in the result."""
    assert len(safe(text, keep="").splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("日本", 4),
        ("e\u0301", 1),
        (FAMILY, 2),
        (GERMANY, 2),
        (RED_HEART, 2),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("a\nb\t\x07", 5),
        ("a\r\nb", 3),
        ("ü\r\n", 2),
    ],
)
def test_columns_are_those_of_grapheme_clusters(text: str, width: int) -> None:
    """Wide letters and emoji take 2, marks none, and a control character 1."""
    assert columns(text) == width


@pytest.mark.parametrize(
    ("text", "max_columns", "clipped"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("abcdef", -3, ""),
        ("", 0, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        (FAMILY * 2, 3, FAMILY + "…"),
        (FAMILY * 2, 2, "…"),
        (GERMANY * 2, 3, GERMANY + "…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("abc\u0301", 3, "abc\u0301"),
    ],
)
def test_clip_cuts_between_clusters(text: str, max_columns: int, clipped: str) -> None:
    """Text that is too wide is cut where a reader sees a boundary."""
    assert clip(text, max_columns) == clipped


def test_clip_takes_any_ellipsis() -> None:
    """An ellipsis counts, and is itself cut where it does not fit."""
    assert clip("abcdef", 5, ellipsis="...") == "ab..."
    assert clip("abcdef", 2, ellipsis="...") == ".."
    assert clip("abcdef", 3, ellipsis="") == "abc"
    assert clip("abcdef", 1, ellipsis="日") == ""


def test_clip_reads_no_more_than_it_shows() -> None:
    """A text of megabytes is cut as fast as a short one."""
    seen = 0

    class Watched(str):
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            nonlocal seen
            seen = len(str.__getitem__(self, key))  # type: ignore[index]
            return str.__getitem__(self, key)  # type: ignore[index]

    assert clip(Watched("日" * 1_000_000), 5) == "日日…"
    assert seen == 2


@given(TEXTS, st.integers(-1, 40), st.sampled_from(["…", "...", "", "日", "[cut]"]))
@example("\u0600\n\n\n", 2, "…")
def test_clip_keeps_its_limit_and_its_boundaries(text: str, max_columns: int, ellipsis: str) -> None:
    """The result is never too wide: the whole text, or whole clusters of it and the ellipsis."""
    clipped = clip(text, max_columns, ellipsis=ellipsis)
    assert columns(clipped) <= max(0, max_columns)
    if columns(text) <= max_columns:
        assert clipped is text
    elif columns(ellipsis) <= max_columns:
        kept = clipped.removesuffix(ellipsis) if ellipsis else clipped
        assert clipped.endswith(ellipsis)
        clusters = list(iter_graphemes(text))
        assert kept in {"".join(clusters[:count]) for count in range(len(clusters) + 1)}
    else:
        assert ellipsis.startswith(clipped)


@pytest.mark.parametrize(
    ("name", "found"),
    [("tool_strat", "tool_start"), ("THINK", "think"), ("Terminated", "terminate"), ("zebra", None), ("", None)],
)
def test_nearest_finds_what_was_meant(name: str, found: str | None) -> None:
    """A slip of the finger or of the shift key finds the name; another word finds none."""
    assert nearest(name, ["think", "tool_start", "tool_complete", "terminate"]) == found


def test_nearest_gives_names_as_they_are_known() -> None:
    """The name comes back in its own spelling, and from any iterable."""
    assert nearest("consolehandler", iter(["ConsoleHandler", "SSEHandler"])) == "ConsoleHandler"
    assert nearest("anything", []) is None


@pytest.mark.parametrize(
    ("items", "limit", "sentence"),
    [
        ([], 3, ""),
        (["a"], 3, "a"),
        (["a", "b"], 3, "a and b"),
        (["a", "b", "c"], 3, "a, b and c"),
        (["a", "b", "c", "d"], 3, "a, b, c and 1 more"),
        ([str(number) for number in range(14)], 2, "0, 1 and 12 more"),
        (["a", "b"], 0, "2 more"),
        (["a", "b"], -1, "2 more"),
    ],
)
def test_and_more_lists_some_and_counts_the_rest(items: list[str], limit: int, sentence: str) -> None:
    """A list in a message stays short and hides no number."""
    assert and_more(items, limit) == sentence


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
@example(text="\u200d\u200d")
@example(text="\r\n\t\x7f\x9b")
@example(text=SCOTLAND)
def test_safe_json_is_equal_json(text: str) -> None:
    """Escaping what could steer a terminal changes no value, and leaves nothing to escape."""
    shown = safe_json(json.dumps({text: text}, ensure_ascii=False))
    assert json.loads(shown) == {text: text}
    assert safe(shown, keep="") == shown


def test_safe_json_spells_the_rest_as_it_was() -> None:
    """Numbers and spaces stay; a carriage return between values becomes a space, for an escape there is no JSON."""
    assert safe_json('{"n":\t1.50e0,\r"esc": "\x7f"}') == '{"n":\t1.50e0, "esc": "\\u007f"}'
