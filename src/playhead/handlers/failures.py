"""How an exception is told to people.

Knows names, texts and tracebacks of exceptions. Does not decide who may see which.
"""

from traceback import format_exception

from playhead.errors import RecordedError
from playhead.text import safe


def describe(error: Exception) -> tuple[str, str]:
    """Return the name of an error's type and its text. A replayed error is named as the original one was."""
    kind = error.type_name if isinstance(error, RecordedError) else None
    try:
        text = str(error)
    except Exception as failure:
        text = f"(its text cannot be had: {type(failure).__name__})"
    return kind or type(error).__name__, text


def safe_traceback(error: Exception) -> str:
    """Return an error's traceback as text that is safe for a terminal."""
    return safe("".join(format_exception(error))).rstrip()
