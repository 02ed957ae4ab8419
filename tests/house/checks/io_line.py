"""The rule of the I/O line: below it, values in and values out."""

import ast

from tests.house.checks.architecture import IO_LINE, Architecture
from tests.house.checks.imports import Import, imports
from tests.house.checks.source import Finding, Module

# Behind their protocols these two read the time and draw randomness, so that nobody else has to.
EXEMPT = ("clock", "ids")

# Modules that touch files, sockets, time, randomness, processes, threads or an event loop.
FORBIDDEN = frozenset(
    (
        "anyio",
        "asyncio",
        "concurrent",
        "ctypes",
        "dbm",
        "fcntl",
        "fileinput",
        "ftplib",
        "getpass",
        "glob",
        "http",
        "imaplib",
        "io",
        "linecache",
        "locale",
        "logging",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "platform",
        "poplib",
        "queue",
        "random",
        "sched",
        "secrets",
        "select",
        "selectors",
        "shelve",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "trio",
        "urllib",
        "uuid",
        "webbrowser",
    )
)
# What may be taken from them all the same: values.
ALLOWED = {
    "pathlib": ("PurePath", "PurePosixPath", "PureWindowsPath"),
    "urllib.parse": ("quote", "unquote", "urlsplit", "urlunsplit", "parse_qsl", "SplitResult"),
    "uuid": ("UUID",),
}

CALLS = ("open", "print", "input", "breakpoint")
CLOCK_READERS = ("now", "utcnow", "today")
STREAMS = ("stdin", "stdout", "stderr", "argv")


def io_findings(module: Module, architecture: Architecture) -> list[Finding]:
    """Find what touches the world in a module that lies below the I/O line."""
    layer = architecture.layer(module.place)
    if layer is None or layer > IO_LINE or module.place in EXEMPT:
        return []
    found = [
        module.finding(item.line, f"imports {item.target!r} below the I/O line")
        for item in imports(module)
        if _forbidden(item)
    ]
    for node in ast.walk(module.tree):
        message = _touch(node)
        if message:
            found.append(module.finding(node, f"{message} below the I/O line"))
    return found


def _forbidden(item: Import) -> bool:
    if item.target.split(".")[0] not in FORBIDDEN:
        return False
    allowed = ALLOWED.get(item.target, ())
    return not item.names or any(name not in allowed for name in item.names)


def _touch(node: ast.AST) -> str | None:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            return f"calls {name}()"
        case ast.Call(
            func=ast.Attribute(
                attr=name,
                value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date"),
            )
        ) if name in CLOCK_READERS:
            return f"reads the clock with {name}()"
        case ast.Attribute(attr=name, value=ast.Name(id="sys")) if name in STREAMS:
            return f"touches sys.{name}"
    return None
