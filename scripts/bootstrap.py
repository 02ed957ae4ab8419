"""Make `.venv` and install a set of requirements into it, once.

Knows virtual environments, pip and uv. Does not know what is started afterwards: `play` and `test` do. It uses the
standard library only, and its syntax is that of Python 3.7: it is what tells people that their Python is too old.

A stamp in `.venv` names what was installed, so that a second start costs a few milliseconds. A lock makes two starts
at the same time take turns; it dies with its process. A note in `.venv` says that an install is under way: if it is
still there when the lock is free, the install was interrupted and the environment is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = (3, 11)
PINS = "requirements-dev.txt"

# What each set asks of the installer. The pins hold for both; the run set merely installs fewer of them.
SETS = {
    "run": ["--constraint", PINS, "--editable", "."],
    "dev": ["--requirement", PINS, "--editable", "."],
}
# A set is there when it, or a set that contains it, is there.
CONTAINED_IN = {"run": ["run", "dev"], "dev": ["dev"]}

INSTALLING = "installing"
HOME = "home"


def home(root: Path) -> str:
    """Return what a virtual environment is bound to: its place, and the version of its Python."""
    return f"{root}\n{sys.version_info[0]}.{sys.version_info[1]}\n"


def wanted(root: Path) -> str:
    """Return the key of what should be installed: a digest of the requirements, the Python and the place."""
    digest = hashlib.sha256(home(root).encode())
    for name in ("pyproject.toml", PINS):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def stamp(root: Path, name: str) -> Path:
    """Return the path of a stamp: of a set, of the note `installing`, or of `home`."""
    return root / ".venv" / f".playhead-{name}"


def read(path: Path) -> str | None:
    """Return a small file's text, or None where there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def installed(root: Path, name: str) -> bool:
    """Tell whether a set is installed as it should be."""
    key = wanted(root)
    if read(stamp(root, INSTALLING)) is not None:
        return False
    return any(read(stamp(root, larger)) == key for larger in CONTAINED_IN[name])


def usable(root: Path, *, with_pip: bool) -> bool:
    """Tell whether the virtual environment can be built upon."""
    if read(stamp(root, INSTALLING)) is not None or read(stamp(root, HOME)) not in (None, home(root)):
        return False
    probe = "import sys; print(*sys.version_info[:2], sep='.')" + ("; import pip" if with_pip else "")
    try:
        answer = subprocess.run(
            [str(root / ".venv/bin/python"), "-c", probe],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return answer.returncode == 0 and answer.stdout.decode().strip() == version


def make_command(root: Path, uv: str | None) -> list[str]:
    """Return the command that makes an empty virtual environment."""
    if uv:
        return [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(root / ".venv")]
    return [sys.executable, "-m", "venv", "--clear", str(root / ".venv")]


def install_commands(root: Path, name: str, *, uv: str | None) -> list[list[str]]:
    """Return the commands that install a set, one after the other."""
    python = str(root / ".venv/bin/python")
    if uv:
        return [[uv, "pip", "install", "--quiet", "--python", python, *SETS[name]]]
    # Most modules are never imported; those that are get compiled then.
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    # The pip that came with an older Python takes three times as long over the rest as the pinned one.
    return [[*pip, "--constraint", PINS, "pip"], [*pip, *SETS[name]]]


def install(root: Path, name: str) -> None:
    """Install a set, in an environment made anew where the old one cannot be trusted.

    Raises `subprocess.CalledProcessError` where a command fails; installers leave the environment whole in that case,
    so that only a killed install is distrusted.
    """
    uv = shutil.which("uv")
    print(f"Installing what is needed into .venv with {'uv' if uv else 'pip'} (once) ...", file=sys.stderr, flush=True)
    if not usable(root, with_pip=not uv):
        subprocess.run(make_command(root, uv), cwd=root, check=True, stdout=sys.stderr)
    write(stamp(root, HOME), home(root))
    write(stamp(root, INSTALLING), name)
    try:
        for command in install_commands(root, name, uv=uv):
            subprocess.run(command, cwd=root, check=True, stdout=sys.stderr)
        write(stamp(root, name), wanted(root))
    except subprocess.CalledProcessError:
        stamp(root, INSTALLING).unlink()
        raise
    stamp(root, INSTALLING).unlink()


def install_once(root: Path, name: str) -> None:
    """Install a set unless it is there, or wait for who is installing it."""
    if installed(root, name):
        return
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not installed(root, name):
            install(root, name)
    finally:
        os.close(folder)


def main(arguments: list[str]) -> int:
    """Install the named set if it is not there, and return the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        print(
            f"Playhead needs Python 3.{OLDEST_PYTHON[1]} or newer; {sys.executable} is "
            f"{sys.version_info[0]}.{sys.version_info[1]}. Name another one: PYTHON=/path/to/python3 ./play",
            file=sys.stderr,
        )
        return 1
    try:
        install_once(ROOT, arguments[0])
    except subprocess.CalledProcessError as error:
        print(f"The install failed with exit code {error.returncode}: {error.cmd}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
