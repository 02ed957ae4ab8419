"""What is secret on this machine, beside what is secret everywhere."""

from collections.abc import Sequence
from pathlib import Path

from playhead.cassettes.format import Header
from playhead.cassettes.redact import Redactor


def local_redactor(rules: Sequence[str] | None) -> Redactor:
    """Return a redactor with these rules, None for the usual ones, that knows the home folder of whoever runs this."""
    try:
        home = str(Path.home())
    except RuntimeError:
        return Redactor(rules)
    return Redactor(rules, home=(home,) if home != "/" else ())


def clean_header(header: Header, redactor: Redactor) -> Header:
    """Return a header without secrets, the very object where it has none: a test's name may have its parameters."""
    old = header.model_dump_json().encode()
    new = redactor.json(old)
    return header if new is old else Header.model_validate_json(new)
