"""Where the cassette of a test lies. Knows paths and names; does not know pytest, and never looks at a disk."""

import os
from pathlib import Path, PurePosixPath

from playhead.cassettes.naming import SUFFIX, cassette_path, file_name
from playhead.errors import UsageError


def cassette_of(node_id: str, test_file: Path, *, folder: str, root: Path, name: str | None = None) -> Path:
    """Return the file of a test's cassette: one for each test, or the one that its marker names.

    `folder` lies beside the test's file, unless it is absolute: then cassettes lie in it as the tests lie in `root`.
    `name` is a path within that folder; the suffix may be left out. Raises `UsageError` for a name that leads out.
    """
    base = cassette_folder(test_file, folder=folder, root=root)
    if name is None:
        return base / cassette_path(node_id)
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise UsageError(f"the marker 'playhead' has name={name!r}: give a path within {str(base)!r}, such as 'paris'")
    return base / (path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX))


def cassette_folder(test_file: Path, *, folder: str, root: Path) -> Path:
    """Return the folder of all cassettes of the tests beside a file."""
    given = Path(folder)
    if not given.is_absolute():
        return test_file.parent / given
    try:
        return given / test_file.parent.relative_to(root)
    except ValueError:
        return given / file_name(str(test_file.parent), suffix="")


def module_folder(test_file: Path, *, folder: str, root: Path) -> Path:
    """Return the folder of the cassettes of the tests in a file."""
    inner = cassette_path(f"{test_file.name}::test")
    return cassette_folder(test_file, folder=folder, root=root) / inner.parent


def shown(path: Path, start: Path) -> str:
    """Return a path as a person types it who is in `start`: relative, unless it lies elsewhere."""
    text, folder = str(path), f"{start}{os.sep}"
    return text.removeprefix(folder)
