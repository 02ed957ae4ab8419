"""Look at cassettes: the commands under that heading, and what they call."""

from typing import Annotated

import typer

from playhead.cli.options import (
    After,
    Cassette,
    Json,
    Paths,
    Run,
    Start,
    Stop,
    Torn,
)


def ls(
    path: Annotated[list[str] | None, typer.Argument(metavar="PATH", help="Folders, stores, cassettes.")] = None,
    json: Json = False,
) -> None:
    """List cassettes, and what is wrong with those that are damaged."""
    from playhead.cli import listing

    raise typer.Exit(listing.ls(path or ["."], as_json=json))


def show(
    cassette: Cassette,
    run: Run = None,
    start: Start = 0,
    stop: Stop = None,
    after: After = None,
    every: Annotated[bool, typer.Option("--all", help="One line for each piece of streamed text.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="The events as they were recorded, one a line: what `import` reads.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --events: NaN and the like stay tagged, so that it is strict JSON.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The lines as they are stored.")] = False,
    torn: Torn = False,
    json: Json = False,
) -> None:
    """Show what is on a cassette, as a timeline."""
    from playhead.cli import showing
    from playhead.cli.finding import Choice

    form = showing.Form(json=json, events=events, strict=strict, raw=raw, every=every)
    showing.show(cassette, Choice(run, start, stop, after), form, torn=torn)


def play(
    cassette: Cassette,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="So many times as fast.")] = 1.0,
    instant: Annotated[bool, typer.Option("--instant", help="Do not wait at all.")] = False,
    run: Run = None,
    start: Start = 0,
    stop: Stop = None,
    after: After = None,
    details: Annotated[bool, typer.Option("--details", help="Show times, and the arguments of tools.")] = False,
    torn: Torn = False,
    json: Json = False,
) -> None:
    """Play a cassette on the terminal, as fast as it was recorded."""
    from playhead.cli import playing
    from playhead.cli.finding import Choice

    choice = Choice(run, start, stop, after)
    playing.play(cassette, choice, speed=speed, instant=instant, torn=torn, details=details, as_json=json)


def stats(path: Paths, json: Json = False) -> None:
    """Count events, spans, tools and times."""
    from playhead.cli import counting

    raise typer.Exit(counting.stats(path, as_json=json))
