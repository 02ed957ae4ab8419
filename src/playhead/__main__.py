"""The command line, as `python -m playhead`."""

from playhead.cli.main import run

run()
