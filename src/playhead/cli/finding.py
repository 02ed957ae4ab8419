"""The commands that look for something wrong: check, diff, verify. Exit code 1 says that something was found."""

from typing import Annotated

import typer

from playhead.cassettes.places import list_places
from playhead.cli.options import AsJson, Cassette, Places
from playhead.cli.output import FOUND, OK, UNREADABLE, err, print_json, say
from playhead.comparing.streams import compare
from playhead.contracts.check import check as check_tape
from playhead.errors import PlayheadError
from playhead.replaying.tape import open_tape
from playhead.text import safe


def check(paths: Places, json: AsJson = False) -> int:
    """Check the order and the end of every stream. Exit code 1 if a rule is broken."""
    code = OK
    for where in [place.where for path in paths for place in list_places(path)]:
        with open_tape(where) as tape:
            for found in check_tape(tape):
                code = FOUND
                if json:
                    print_json({"cassette": where, "event": found.index, "code": found.code, "message": found.message})
                else:
                    say(f"{where}: event {found.index}: {found.code} {found.message}")
    return code


def diff(
    old: Cassette,
    new: Cassette,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="Parallel tools must complete in the same order.")
    ] = False,
    json: AsJson = False,
) -> int:
    """Compare two cassettes, but for what differs from run to run anyway. Exit code 1 if they differ."""
    with open_tape(old) as before, open_tape(new) as after:
        found = compare(before.events(), after.events(), dialect=before.dialect, any_order=not in_order)
    if json:
        print_json(
            [{"kind": each.kind, "old": each.old_index, "new": each.new_index, "path": each.path} for each in found]
        )
    elif found:
        say(str(found))
    else:
        say("The same, but for what differs from run to run.")
    return FOUND if found else OK


def verify(paths: Places, json: AsJson = False) -> int:
    """Read every byte of every cassette: checksums, digests, counts. Exit code 2 if one is damaged."""
    code = OK
    for where in [place.where for path in paths for place in list_places(path)]:
        error = _damage(where)
        code = UNREADABLE if error else code
        if json:
            print_json({"cassette": where, "ok": error is None, "error": error and str(error)})
        elif error:
            err().print(safe(f"{type(error).__name__}: {error}"), style="red")
        else:
            say(f"{where}: whole")
    return code


def _damage(where: str) -> PlayheadError | None:
    try:
        with open_tape(where) as tape:
            tape.verify()
            for _ in tape.entries():
                pass
    except PlayheadError as error:
        return error
    return None
