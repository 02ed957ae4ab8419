"""The commands and programs that a page shows: reading them, and comparing what they print with what it says."""

import re
from dataclasses import dataclass

EXIT_CODE = re.compile(r"\s*#\s*\[exit (\d+)\]\s*$")


@dataclass(frozen=True)
class Command:
    """Hold a command of a page. `output` is what it must print, or None where the page does not show it."""

    line: int
    command: str
    exit_code: int
    output: str | None


def commands(text: str) -> list[Command]:
    """Return the commands of the blocks fenced as `console`, in order."""
    found: list[Command] = []
    for block in re.finditer(r"^```console\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        first_line = text[: block.start(1)].count("\n") + 1
        for number, line in enumerate(block[1].splitlines(), first_line):
            if line.startswith("$ "):
                code = EXIT_CODE.search(line)
                command = EXIT_CODE.sub("", line[2:])
                found.append(Command(number, command, int(code[1]) if code else 0, None))
            elif found:
                last = found[-1]
                output = line if last.output is None else f"{last.output}\n{line}"
                found[-1] = Command(last.line, last.command, last.exit_code, output)
    return found


FILE = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def files(text: str) -> dict[str, str]:
    """Return the programs that a page shows, by the name that stands in their first line."""
    return {found[1]: found[2] for found in FILE.finditer(text)}


def agrees(expected: str, actual: str) -> bool:
    """Tell whether an output is what the page shows. `...` stands for any text; on its own line, for any lines."""
    pattern = ""
    for line in expected.strip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += ".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ \t]*\n"
    return re.fullmatch(pattern, actual.strip() + "\n") is not None
