"""Copy and mend cassettes: the commands under that heading, and what they call."""

from typing import Annotated

import typer

from playhead.cli.options import (
    Cassette,
    Force,
    Json,
    Out,
    Paths,
    Redact,
)


def convert(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A cassette.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A file, STORE.db::NAME, a store, or a folder.")],
    force: Force = False,
    json: Json = False,
) -> None:
    """Copy a cassette into another file or store, byte for byte."""
    from playhead.cli import copying

    copying.convert_one(source, target, force=force, as_json=json)


def repair(source: Cassette, out: Out = None, force: Force = False, json: Json = False) -> None:
    """Copy what is intact of a damaged cassette, and say what was lost."""
    from playhead.cli import copying

    copying.repair(source, out, force=force, as_json=json)


def scrub(source: Cassette, out: Out = None, redact: Redact = None, force: Force = False, json: Json = False) -> None:
    """Copy a cassette without its secrets, and count them."""
    from playhead.cli import copying

    copying.scrub_one(source, out, redact=redact or None, force=force, as_json=json)


def reseal(
    source: Cassette,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    base: Annotated[
        str | None, typer.Option("--base", metavar="FILE", help="Merge: what both sides began with.")
    ] = None,
    theirs: Annotated[str | None, typer.Option("--theirs", metavar="FILE", help="Merge: the other side.")] = None,
    json: Json = False,
) -> None:
    """Seal a cassette again that was edited by hand.

    Shows which lines were changed, and asks. With --base and --theirs it is a merge driver for git: CASSETTE is our
    side, and becomes the outcome. Exits with 1 where nothing was sealed, or where a merge has conflicts.
    """
    from playhead.cli import resealing
    from playhead.errors import UsageError

    if (base is None) != (theirs is None):
        raise UsageError("a merge takes both --base and --theirs")
    if base is not None and theirs is not None:
        raise typer.Exit(resealing.merge(source, base, theirs))
    raise typer.Exit(resealing.reseal_one(source, yes=yes, as_json=json))


def upgrade(path: Paths, json: Json = False) -> None:
    """Bring older cassettes to the newest format.

    There is only version 1 so far, so nothing is to be done; one of a newer version is refused.
    """
    from playhead.cli import resealing

    resealing.upgrade(path, as_json=json)
