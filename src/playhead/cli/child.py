"""A command that runs as a part of ours: its input, output and signals are its own.

Knows processes and signals. Does not know why it is run.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import Any, Final, Self

from playhead.errors import UsageError

_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Child:
    """Run a command as part of this process: signals that come here go there, and none of them ends this one.

    Use it as a context manager: until it is left, what has to be sealed is sealed. Raises `UsageError` for a command
    that there is not.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._path = shutil.which(command[0])
        if self._path is None:
            raise UsageError(f"there is no command {command[0]!r}: name a program, behind --, as in a shell")
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def run(self, environment: Mapping[str, str]) -> int:
        """Run the command to its end, and return its exit code; 128 and the signal's number if one ended it."""
        self._process = subprocess.Popen(self._command, executable=self._path, env=environment)
        for each in self._early:
            self._process.send_signal(each)
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def __enter__(self) -> Self:
        # What is ignored here, as behind nohup, the command ignores too.
        heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._pass_on) for number in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        elif number != signal.SIGINT or not _typed():
            self._process.send_signal(number)


def _typed() -> bool:
    """Say whether an interrupt was typed, as far as can be told: a terminal sends it to the child, too."""
    try:
        with open("/dev/tty") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
