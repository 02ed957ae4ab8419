"""A checkpoint as the JSON of an entry, and back.

    {"id":"c1","thread":"user-42","type":"locus.core.state.AgentState","state":{...},"metadata":{...}}
    {"id":"c1","thread":"user-42","deleted":true}
    {"id":null,"thread":"user-42","deleted":true}                                          the whole thread

`type` is there where an object was saved, and only tells people and error messages which: no class is ever looked up by
a name in a file. Knows the JSON of states. Does not know cassettes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from playhead.errors import CorruptCassette, UsageError
from playhead.events.tagged import dumps, loads

STATE: Final = b',"state":'
"""What stands between the names of a checkpoint and its state."""

_REPR: Final = b'{"$playhead":["repr",'


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells a checkpoint from others: its id (None: the whole thread), its thread, and whether it was deleted."""

    id: str | None
    thread: str
    deleted: bool = False


def encode(mark: Mark, state: object, metadata: Mapping[str, Any] | None = None) -> tuple[bytes, bytes]:
    """Return a checkpoint's JSON in two parts: what tells it from others, and the state.

    A state is a mapping, or has `to_checkpoint()`, which returns one. Raises `UsageError` for anything else, and where
    there is no JSON for it.
    """
    plain, type_name = _plain(state)
    named = {"id": mark.id, "thread": mark.thread} | ({"type": type_name} if type_name else {})
    body = STATE + _json(plain, mark, "a state")
    if metadata:
        body += b',"metadata":' + _json(dict(metadata), mark, "metadata")
    return dumps(named)[:-1], body + b"}"


def encode_deleted(mark: Mark) -> bytes:
    """Return the JSON that takes a checkpoint back, or a whole thread where it has no id."""
    return dumps({"id": mark.id, "thread": mark.thread, "deleted": True})


def read_mark(data: bytes) -> Mark:
    """Return what tells a checkpoint from others. One that names no thread is in the thread ''.

    Raises `ValueError` for what is no checkpoint.
    """
    found = _names(data.partition(STATE)[0]) or loads(data)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    identity, thread = found.get("id"), found.get("thread", "")
    deleted = found.get("deleted") is True
    if not isinstance(identity, str | None) or not isinstance(thread, str) or (identity is None and not deleted):
        raise ValueError(f"its id {identity!r} and its thread {thread!r} have to be text")
    return Mark(identity, thread, deleted)


def _names(data: bytes) -> dict[str, Any] | None:
    """Return what is before the state in a checkpoint as it is written here, so that the state need not be read."""
    try:
        found = loads(data + b"}")
    except ValueError:
        return None
    # In another order, other keys could be behind the state.
    return found if isinstance(found, dict) and "id" in found and "thread" in found else None


def renamed(data: bytes, thread: str) -> bytes:
    """Return the same checkpoint in another thread."""
    found = loads(data)
    names = {"id": found["id"], "thread": thread}
    return dumps(names | {key: value for key, value in found.items() if key not in names})


class Reviver:
    """Make states of what was saved. `state_type` makes every state, if it is given; it has `from_checkpoint(dict)`.

    Otherwise a mapping comes back as a dict, and an object by a class that was remembered.
    """

    def __init__(self, state_type: Any = None) -> None:
        self._given = None if state_type is None else _checked(state_type)
        self._seen: dict[str, Any] = {}

    def remember(self, state_type: Any) -> None:
        """Take a class for the states that are saved under its name. Raises `UsageError` where it cannot make any."""
        self._seen[_name(state_type)] = _checked(state_type)

    def note(self, state: object) -> None:
        """Remember the class of a state that is saved."""
        if hasattr(type(state), "from_checkpoint"):
            self._seen[_name(type(state))] = type(state)

    def revive(self, data: bytes) -> Any:
        """Return the state of a checkpoint's JSON.

        Raises `UsageError` where the class is not known here, or refuses what was saved.
        """
        found = loads(data)
        if "state" not in found:
            raise CorruptCassette(f"{_where(found)} has no state")
        saved_as = str(found["type"]) if "type" in found else None
        chosen = self._given or (self._seen.get(saved_as) if saved_as else None)
        if chosen is None:
            if saved_as is None:
                return found["state"]
            short = saved_as.rpartition(".")[2]
            raise UsageError(
                f"{_where(found)} was saved as {saved_as}, and no class is looked up by its name: "
                f"give Checkpointer(..., state_type={short})"
            )
        try:
            return chosen.from_checkpoint(found["state"])
        except Exception as error:
            was = f", which was saved as {saved_as}," if saved_as else ""
            raise UsageError(f"{_where(found)}{was} does not make a {_name(chosen)}: {error}") from error


def _checked(state_type: Any) -> Any:
    if not callable(getattr(state_type, "from_checkpoint", None)):
        raise UsageError(f"{state_type!r} makes no states: it has no from_checkpoint(dict)")
    return state_type


def _plain(state: object) -> tuple[Mapping[str, Any], str | None]:
    to_checkpoint: Callable[[], Any] | None = getattr(state, "to_checkpoint", None)
    plain = to_checkpoint() if callable(to_checkpoint) else state
    if not isinstance(plain, Mapping):
        raise UsageError(
            f"a state is a mapping, or has to_checkpoint() that returns one: {type(state).__qualname__} gives "
            f"{type(plain).__qualname__}"
        )
    return plain, None if plain is state else _name(type(state))


def _json(value: object, mark: Mark, what: str) -> bytes:
    try:
        data = dumps(value)
    except ValueError as error:
        raise UsageError(f"checkpoint {mark.id!r} has {what} with no JSON form: {error}") from error
    if _REPR in data:
        lost = data.partition(_REPR)[2][:80].decode(errors="replace")
        raise UsageError(f"checkpoint {mark.id!r} has {what} with a value that JSON has no form for: {lost}...")
    return data


def _name(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _where(found: Mapping[str, Any]) -> str:
    return f"checkpoint {found['id']!r} of thread {found.get('thread', '')!r}"
