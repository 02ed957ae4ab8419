"""The arguments and options that several commands share, spelled once."""

from typing import Annotated

import typer

Cassette = Annotated[str, typer.Argument(help="A cassette: a .jsonl file, or runs.db::NAME.", show_default=False)]
"""One cassette."""

Places = Annotated[
    list[str], typer.Argument(help="Cassettes, databases, or folders of them.", metavar="PATH...", show_default=False)
]
"""Any number of cassettes."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
"""Machine-readable output."""

Out = Annotated[str | None, typer.Option("--out", "-o", help="Where to write the new cassette.", show_default=False)]
"""Where a new cassette goes."""

Force = Annotated[bool, typer.Option("--force", help="Replace the cassette that is there.")]
"""Leave to overwrite."""

Redact = Annotated[
    list[str] | None, typer.Option(help="A redaction rule, several times; the usual ones by default.", metavar="RULE")
]
"""Which secrets are taken out."""

Run = Annotated[str | None, typer.Option(help="One run of the cassette, such as r1.", show_default=False)]
"""One run."""
