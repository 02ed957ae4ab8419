"""Run the command line as `python -m playhead`."""

from playhead.cli.main import run

if __name__ == "__main__":
    run()
