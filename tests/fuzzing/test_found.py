"""Each finding of `docs/found.md`, with its reproduction; and the page names each of them, and the versions."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import pytest
from locus.memory.backends.file import FileCheckpointer
from locus.memory.backends.memory import MemoryCheckpointer
from locus.streaming.console import ConsoleHandler
from locus.streaming.handler import BufferingHandler, CompositeHandler, FilteringHandler
from locus.streaming.sse import AsyncSSEHandler, SSEHandler

from playhead.scripts import cut, hang, turn
from playhead.testing import (
    Report,
    Sink,
    assert_agent,
    assert_handler,
    check_agent,
    check_checkpointer,
    check_composition,
    check_handler,
    check_sse_encoder,
)
from tests.fuzzing.found import locus_agent, locus_encode, locus_state, shipit_agent

PAGE = "docs/found.md"
THINK = {"event_type": "think", "iteration": 1}
FORGED = {"event_type": "x\ndata: forged"}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep locus' log of planted errors out of the way."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def console(sink: Sink) -> ConsoleHandler:
    return ConsoleHandler(sink)  # type: ignore[arg-type]


def filtering(sink: Sink) -> FilteringHandler:
    return FilteringHandler(sink)


Fails = Callable[[], None]
FOUND: dict[str, tuple[Fails, str]] = {
    "L1": (
        lambda: check_composition(CompositeHandler).raise_if_broken(),
        r"siblings-are-not-starved +child 1 raised, and child 2 got \[\] of the calls a, on_complete",
    ),
    "L2": (
        lambda: check_composition(CompositeHandler).raise_if_broken(),
        r"errors-come-together +two children failed, and on_event raised ValueError\('first'\), without \[KeyError",
    ),
    "L3": (
        lambda: check_composition(CompositeHandler).raise_if_broken(),
        "cancellation-passes +on_event was cancelled while a child waited, and it raised ValueError",
    ),
    "L4": (
        partial(assert_handler, SSEHandler, [THINK, FORGED], keeps="survives-the-wire"),
        "message 1 is sent as .* and received as 'x' 'forged",
    ),
    "L5": (
        lambda: check_sse_encoder(locus_encode).raise_if_broken(),
        r"comes-back +'x', 'a\\r\\nb\\rc' is read as \[\('x', 'a\\nb', '7'\)\]",
    ),
    "L6": (
        partial(assert_handler, AsyncSSEHandler, [THINK], keeps="takes-a-second-reader"),
        "a reader that comes after the end waits for ever",
    ),
    "L7": (
        partial(assert_handler, AsyncSSEHandler, [THINK], how="stall", keeps="is-bounded"),
        "its reader stalls, and it holds 1,999 messages and takes more",
    ),
    "L8": (
        partial(assert_handler, SSEHandler, [], keeps="is-over-at-the-end"),
        "calls after the end changed what came out: done, error",
    ),
    "L9": (
        partial(assert_agent, locus_agent, [turn(), turn(cut())], keeps="tells-failures"),
        "its model failed for good, and the run ended with 'terminate' as if it were complete",
    ),
    "L10": (
        partial(assert_agent, locus_agent, [turn(hang())], keeps="gives-up-on-silence"),
        "its model fell silent, and the next event never came",
    ),
    "L11": (
        lambda: check_checkpointer(lambda: FileCheckpointer(mkdtemp()), state=locus_state).raise_if_broken(),
        "threads-are-separate +thread 'a/b' was saved, and load",
    ),
    "S1": (
        lambda: check_agent(shipit_agent).raise_if_broken(),
        r"tells-cancellation +cancel\(\) was called, and no event says that the run is over",
    ),
}
"""Each finding of the page: what shows it, and how that fails."""


@pytest.mark.parametrize("name", FOUND)
def test_a_finding_is_still_there(name: str) -> None:
    """It fails as the page says. When it passes, a newer version has mended it, and the page must say so."""
    shows, message = FOUND[name]
    with pytest.raises(AssertionError, match=message):
        shows()


def test_the_page_names_each_finding_and_the_versions(root: Path) -> None:
    """No finding without its paragraph, and none of another version."""
    page = (root / PAGE).read_text()
    assert [line.split()[1].rstrip(".") for line in page.splitlines() if line.startswith("### ")] == list(FOUND)
    assert f"locus-sdk {version('locus-sdk')}" in page
    assert f"shipit-agent {version('shipit-agent')}" in page


KEPT: dict[str, tuple[Callable[[], Report], int, set[str]]] = {
    "buffering": (lambda: check_handler(BufferingHandler), 6, {"is-over-at-the-end"}),
    "filtering": (lambda: check_handler(filtering), 6, {"is-over-at-the-end"}),
    "console": (lambda: check_handler(console), 8, {"is-over-at-the-end"}),
    "locus": (lambda: check_agent(locus_agent), 8, {"gives-up-on-silence"}),
    "shipit": (lambda: check_agent(shipit_agent), 6, {"tells-cancellation"}),
    "memory": (lambda: check_checkpointer(MemoryCheckpointer, state=locus_state), 7, set()),
}


@pytest.mark.parametrize("name", KEPT)
def test_the_rest_is_kept(name: str) -> None:
    """What the page counts as kept, of what was put to the test."""
    check, kept, broken = KEPT[name]
    report = check()
    assert {result.promise.name for result in report.broken} == broken, str(report)
    assert len(report.kept) == kept, str(report)
