"""Run programs that ask models: the commands under that heading, and what they call."""

from typing import Annotated

import typer

from playhead.cli.options import (
    Cassette,
    Command,
    Force,
    IgnoreFields,
    Json,
    NoRedact,
    PaceName,
    Rechunk,
    Redact,
    Seed,
    Speed,
    ToldJson,
)


def record(
    cassette: Annotated[str, typer.Argument(metavar="CASSETTE", help="Where it goes: a file or STORE.db::NAME.")],
    command: Command,
    upstream: Annotated[
        list[str] | None,
        typer.Option(
            "--upstream", metavar="[NAME=]URL", help="Where questions go: all of them, or NAME's. Repeatable."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The cassette's own name.")] = None,
    redact: Redact = None,
    no_redact: NoRedact = False,
    force: Force = False,
    json: ToldJson = False,
) -> None:
    """Run a command, and tape what it asks of models over HTTP. Exits as the command does.

    playhead record trip.jsonl -- python agent.py

    The command finds a loopback proxy in OPENAI_BASE_URL, ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL and their like;
    what it asks there goes on to where these led before, or to the provider. --upstream NAME=URL leads elsewhere, and
    sets NAME_BASE_URL for any other name.
    """
    from playhead.cli import copying, taping

    rules = copying.rules(redact, no_redact=no_redact)
    code = taping.record_command(
        cassette, command, upstream=upstream or (), name=name, redact=rules, force=force, as_json=json
    )
    raise typer.Exit(code)


def replay(
    cassette: Cassette,
    command: Command,
    ignore: IgnoreFields = None,
    pace: PaceName = None,
    speed: Speed = None,
    rechunk: Rechunk = None,
    seed: Seed = 0,
    max_age_days: Annotated[
        float | None, typer.Option("--max-age-days", metavar="N", help="Refuse a cassette that is older.")
    ] = None,
    partly: Annotated[bool, typer.Option("--partly", help="Not all recorded calls need be made.")] = False,
    json: ToldJson = False,
) -> None:
    """Run a command again, offline: a cassette answers for the models.

    playhead replay trip.jsonl -- python agent.py

    Exits with 1 if it asked what is not on the cassette, or did not ask what is; otherwise as the command does.
    """
    from playhead.cli import taping

    playing = taping.Playing(ignore or (), pace, speed, rechunk, seed, max_age_days, partly)
    raise typer.Exit(taping.replay_command(cassette, command, playing, as_json=json))


def serve_model(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A Python file with `turns` or `model`, or a cassette.")
    ],
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Behind --: serve only while this runs.")
    ] = None,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="On this port; 0 is any that is free.")
    ] = 0,
    ignore: IgnoreFields = None,
    pace: PaceName = None,
    speed: Speed = None,
    rechunk: Rechunk = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Serve a scripted or recorded model, to a command or until Ctrl-C.

    playhead serve-model weather.py -- python agent.py

    It answers on loopback as OpenAI, Anthropic and Gemini do. A command finds it in the variables that clients read;
    without one these are printed. Calls that were recorded over HTTP answer the same questions, byte for byte; of any
    other cassette a script is made, whose turns answer in order, whatever is asked.
    """
    from playhead.cli import taping

    playing = taping.Playing(ignore or (), pace, speed, rechunk, seed, partly=True)
    raise typer.Exit(taping.serve_model(source, command or (), playing, port=port, as_json=json))
