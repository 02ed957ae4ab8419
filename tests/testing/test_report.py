"""A report can be read, counted, and raised."""

import pytest

from playhead.testing import Promise, Report, Result, State

REPORT = Report(
    "make_handler",
    (
        Result(Promise("calls-return", "no call waits for ever"), State.KEPT),
        Result(Promise("ends-once", "one message says so"), State.BROKEN, "two say so\x1b", "event\nthen complete"),
        Result(Promise("is-bounded", "it is"), State.SKIPPED, "it does not stream"),
    ),
)


def test_a_report_is_a_table() -> None:
    """Each promise has a line; what is broken has its example under it, and nothing steers a terminal."""
    assert str(REPORT) == (
        "make_handler: 1 kept, 1 broken, 1 skipped\n"
        "  kept     calls-return  no call waits for ever\n"
        "  broken   ends-once     two say so\\x1b\n"
        "                         event\n"
        "                         then complete\n"
        "  skipped  is-bounded    it does not stream"
    )


def test_a_report_is_true_if_nothing_is_broken() -> None:
    """What is skipped is not broken."""
    assert not REPORT
    assert Report("x", REPORT.results[::2])
    Report("x", REPORT.results[::2]).raise_if_broken()
    with pytest.raises(AssertionError, match="1 kept, 1 broken"):
        REPORT.raise_if_broken()


def test_results_are_found_by_name() -> None:
    """By name, and by state."""
    assert REPORT["ends-once"].why.startswith("two")
    assert [len(each) for each in (REPORT.kept, REPORT.broken, REPORT.skipped)] == [1, 1, 1]
    assert list(REPORT) == list(REPORT.results)
    with pytest.raises(KeyError):
        REPORT["no"]
