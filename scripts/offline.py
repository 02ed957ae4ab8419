"""Run a command with the network cut off, except for loopback.

Knows Linux network namespaces. Does not know what it runs. A new namespace has one interface, loopback, which is down:
it is brought up with one ioctl, because a bare Debian has no `ip`. Before the command starts, a connection to the
outside is tried, and must fail.

    python scripts/offline.py COMMAND [ARGUMENT]...

Exit code 77 says that this machine does not allow it; otherwise it is the command's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

NOT_ALLOWED = 77
INSIDE = "--inside"

SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1

# An address of the block that is kept for documentation: nobody answers there, but a network would try.
OUTSIDE = ("192.0.2.1", 9)


def namespace() -> list[str] | None:
    """Return the command that starts another one in a network namespace of its own, or None where none is allowed."""
    unshare = shutil.which("unshare")
    for options in (["-n"], ["-rn"]):
        if unshare and subprocess.run([unshare, *options, "true"], capture_output=True, check=False).returncode == 0:
            return [unshare, *options]
    return None


def raise_loopback() -> None:
    """Bring the loopback interface up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(handle, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def reaches_outside() -> bool:
    """Tell whether this process has a way to the network."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as handle:
        handle.settimeout(2)
        try:
            handle.connect(OUTSIDE)
        except TimeoutError:
            return True
        except OSError:
            return False
    return True


def main(arguments: list[str]) -> int:
    """Run the command, and return its exit code."""
    if arguments[:1] == [INSIDE]:
        raise_loopback()
        if reaches_outside():
            print("offline: the network is still there", file=sys.stderr)
            return 1
        os.execvp(arguments[1], arguments[1:])
    prefix = namespace()
    if prefix is None:
        print("offline: this machine allows no network namespace (unshare -n)", file=sys.stderr)
        return NOT_ALLOWED
    return subprocess.run([*prefix, sys.executable, __file__, INSIDE, *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
