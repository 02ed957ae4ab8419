"""Exceptions, made again of what a tape says of them.

An exception of Python's own comes back as itself. Of any other there is only the name: what is raised bears it, and is
a `RecordedError`, for a cassette is data, and data does not choose what is loaded.
"""

import builtins
from collections.abc import Mapping
from typing import Any, Final

from playhead.errors import ModelFailure, RecordedError

_PYTHONS: Final = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, ExceptionGroup)
}


def revived(fault: Mapping[str, Any]) -> Exception:
    """Return the exception of a fault: Python's own, ours, or a `RecordedError` that bears its name."""
    name, message = str(fault.get("type")), str(fault.get("message", ""))
    if name == ModelFailure.__name__:
        known = {key: fault[key] for key in ("kind", "status", "retry_after_s") if key in fault}
        return ModelFailure(message, **known)
    return _of_python(name, message, fault.get("args")) or _stand_in(name, message)


def _of_python(name: str, message: str, args: Any) -> Exception | None:
    """Return an exception of Python's own, if it says what the recorded one said."""
    kind = _PYTHONS.get(name)
    if kind is None:
        return None
    try:
        made = kind(*args) if isinstance(args, list) else kind(message)
        return made if str(made) == message else None
    except Exception:
        # Some take arguments of their own, and those were not plain.
        return None


def _stand_in(name: str, message: str) -> RecordedError:
    """Return a `RecordedError` whose class bears a name, so that whatever prints it prints the same."""
    own = name.rpartition(".")[2]
    kind: type[RecordedError] = type(own, (RecordedError,), {}) if own.isidentifier() else RecordedError
    return kind(message, type_name=name)
