"""Copy and mend cassettes: the commands under that heading, and what they call."""

from typing import Annotated

import typer

from playhead.cli.options import (
    Cassette,
    Force,
    Json,
    Out,
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
