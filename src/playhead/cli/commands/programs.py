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
    Paths,
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


def serve(
    paths: Paths,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="On this port; 0 is any that is free.")
    ] = 8000,
    pace: Annotated[
        str | None, typer.Option("--pace", metavar="PACE", help="When events come: recorded (the default) or instant.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option("--speed", metavar="X", help="Events come so many times as fast.")
    ] = None,
    event_names: Annotated[
        str,
        typer.Option(
            "--event-names", metavar="HOW", help="model_chunk (snake, the default) or ModelChunkEvent (class)."
        ),
    ] = "snake",
    heartbeat: Annotated[
        float, typer.Option("--heartbeat", metavar="SECONDS", help="After how long a silence a heartbeat comes.")
    ] = 15.0,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="URL", help="Pages of this origin may ask, too. Repeatable."),
    ] = None,
    hostname: Annotated[
        list[str] | None,
        typer.Option("--hostname", metavar="NAME", help="The server goes by this name, too. Repeatable."),
    ] = None,
    json: Json = False,
) -> None:
    """Serve recorded runs as live event streams, until Ctrl-C.

    playhead serve trip.jsonl --speed 4

    It is for building a page without an agent, which reads http://127.0.0.1:8000/stream?prompt=... with EventSource. Of
    several cassettes the prompt chooses the one on which it was recorded, or ?cassette=NAME. Nobody needs a key.
    """
    from playhead.cli import serving

    served = serving.Serving(
        host=host,
        port=port,
        pace=pace,
        speed=speed,
        event_names=event_names,
        heartbeat_s=heartbeat,
        origins=tuple(origin or ()),
        hosts=tuple(hostname or ()),
    )
    serving.serve_tapes(paths, served, as_json=json)
