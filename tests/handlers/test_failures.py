"""How exceptions are told."""

import pytest

from playhead.errors import RecordedError
from playhead.handlers.failures import describe, safe_traceback


class Unspeakable(Exception):
    """Fail to say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("bad"), ("ValueError", "bad")),
        (RecordedError("bad", type_name="TimeoutError"), ("TimeoutError", "bad")),
        (RecordedError("bad"), ("RecordedError", "bad")),
        (Unspeakable(), ("Unspeakable", "(its text cannot be had: RuntimeError)")),
    ],
)
def test_describe(error: Exception, told: tuple[str, str]) -> None:
    """A type and a text are found for any error; a replayed one bears the name that it had."""
    assert describe(error) == told


def test_a_traceback_cannot_steer_the_terminal() -> None:
    """Escape sequences in an error's text are shown."""
    assert safe_traceback(ValueError("\x1b[31mred")) == r"ValueError: \x1b[31mred"
