"""What is secret on this machine, beside what is secret everywhere; and headers, which may hold it too."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from playhead.cassettes.format import Header
from playhead.cassettes.redact import Redactor
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.events.spans import Dialect
from playhead.recording.making import made_with


def local_redactor(rules: Sequence[str] | None) -> Redactor:
    """Return a redactor with these rules, None for the usual ones, that knows the home folder of whoever runs this."""
    try:
        home = str(Path.home())
    except RuntimeError:
        return Redactor(rules)
    return Redactor(rules, home=(home,) if home != "/" else ())


def header_of(
    name: str,
    dialect: Dialect,
    redactor: Redactor,
    *,
    made: Mapping[str, str] | None = None,
    clock: Clock | None = SYSTEM_CLOCK,
) -> Header:
    """Return the header of a new cassette of events, without secrets. `made` and `clock` are as in `made_with`."""
    header = Header(
        name=name,
        dialects={"event": dialect.name},
        made=made_with(made, clock=clock),
        redact=list(redactor.rules),
    )
    return clean_header(header, redactor)


def clean_header(header: Header, redactor: Redactor) -> Header:
    """Return a header without secrets, the very object where it has none: a test's name may have its parameters."""
    old = header.model_dump_json().encode()
    new = redactor.json(old)
    return header if new is old else Header.model_validate_json(new)
