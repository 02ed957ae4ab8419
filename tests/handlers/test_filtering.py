"""What a filtering handler lets through."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.clocks.running import run
from playhead.errors import UsageError
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.filtering import FilteringHandler
from tests.handlers.conformance import Probe

TYPES = ["think", "tool_start", "terminate"]


def passed(**filters: object) -> list[str]:
    """Return which of three types pass."""
    buffer = BufferingHandler()

    async def feed() -> None:
        handler = FilteringHandler(buffer, **filters)  # type: ignore[arg-type]
        for event_type in TYPES:
            await handler.on_event(SimpleNamespace(event_type=event_type))

    run(feed)
    return [event.event_type for event in buffer.get_events()]


def test_everything_passes_unless_told() -> None:
    """Without filters, and with an empty exclusion, all events pass."""
    assert passed() == TYPES
    assert passed(exclude_types=set()) == TYPES


def test_only_the_types_that_are_named_pass() -> None:
    """The include set lets through what it names; an empty one lets through nothing."""
    assert passed(event_types={"think", "terminate"}) == ["think", "terminate"]
    assert passed(event_types=set()) == []


def test_exclusion_wins() -> None:
    """A type that is both included and excluded does not pass."""
    assert passed(event_types={"think", "terminate"}, exclude_types={"think"}) == ["terminate"]


def test_the_function_is_asked_last() -> None:
    """The function sees only what the sets let through, and decides."""
    seen: list[str] = []

    def keep(event: SimpleNamespace) -> bool:
        seen.append(event.event_type)
        return str(event.event_type) != "terminate"

    assert passed(exclude_types={"think"}, filter_fn=keep) == ["tool_start"]
    assert seen == ["tool_start", "terminate"]


SETS = st.none() | st.sets(st.sampled_from(TYPES))


@given(included=SETS, excluded=SETS, kept=st.none() | st.sets(st.sampled_from(TYPES)))
def test_the_three_filters_agree_with_sets(
    included: set[str] | None, excluded: set[str] | None, kept: set[str] | None
) -> None:
    """Whatever the filters, what passes is what is left by plain set arithmetic."""
    keep = None if kept is None else lambda event: event.event_type in kept
    left = set(TYPES if included is None else included) - set(excluded or ()) & set(TYPES)
    left &= set(TYPES if kept is None else kept)
    assert set(passed(event_types=included, exclude_types=excluded, filter_fn=keep)) == left


def test_arguments_are_readable() -> None:
    """The arguments can be read back, and a live set can be changed."""
    probe, included = Probe(), {"think"}
    handler = FilteringHandler(probe, included)
    assert (handler.delegate, handler.event_types, handler.exclude_types, handler.filter_fn) == (
        probe,
        included,
        set(),
        None,
    )
    assert handler.event_types is included
    assert FilteringHandler(probe, ["a", "a"]).event_types == {"a"}


def test_a_single_name_is_refused() -> None:
    """A string where a set belongs would be taken letter by letter."""
    with pytest.raises(UsageError, match=r"event_types='think'.*letter by letter.*Write \{'think'\}"):
        FilteringHandler(Probe(), "think")


@pytest.mark.anyio
async def test_both_ends_pass() -> None:
    """No filter holds back an end."""
    for end in ("complete", "error"):
        probe = Probe()
        handler = FilteringHandler(probe, set())
        await (handler.on_complete() if end == "complete" else handler.on_error(ValueError("x")))
        assert probe.calls == [end]
