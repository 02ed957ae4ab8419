"""A network that ends at this machine, while a test runs.

Knows sockets, and which addresses are this machine's. What goes past Python's socket module is not seen. Threads are
held to it, too, for there is one socket module.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from ipaddress import ip_address
from typing import Any, Final

from playhead.errors import UsageError

_ON_SOCKETS: Final = {"connect": -1, "connect_ex": -1, "sendto": -1, "sendmsg": 3}
"""Methods of a socket that go somewhere, and which argument says where; -1 is the last."""

_LOOKUPS: Final = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
"""Functions that ask for the address of a name: that is a question to the network, too."""


def is_local(host: object) -> bool:
    """Say whether a host is this machine: a name of it, or an address."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name == "":
        return True
    if not isinstance(name, str):
        return False
    with suppress(ValueError):
        address = ip_address(name.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address).is_loopback or address.is_unspecified
    return name.lower().rstrip(".") in ("localhost", socket.gethostname().lower()) or name.endswith(".localhost")


@contextmanager
def blocked(test: str, how: str) -> Iterator[None]:
    """Let nobody leave this machine while the block runs. `test` and `how` (who said so) are for the error.

    Raises `UsageError` in whoever tries: not an `OSError`, which a client would take for a bad connection and hide.
    """

    def refuse(target: object) -> UsageError:
        return UsageError(f"{test} may not reach {target!r}: the network is blocked by {how}; only loopback is not")

    saved: list[tuple[Any, str, Any]] = []
    for name, place in _ON_SOCKETS.items():
        saved.append((socket.socket, name, socket.socket.__dict__.get(name)))
        setattr(socket.socket, name, _checked_method(getattr(socket.socket, name), place, refuse))
    for name in _LOOKUPS:
        saved.append((socket, name, getattr(socket, name)))
        setattr(socket, name, _checked_lookup(getattr(socket, name), refuse))
    try:
        yield
    finally:
        for owner, name, before in reversed(saved):
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


def _checked_method(method: Callable[..., Any], place: int, refuse: Callable[[object], UsageError]) -> Any:
    @wraps(method)
    def checked(self: socket.socket, *args: Any) -> Any:
        address = args[place] if -len(args) <= place < len(args) else None
        if self.family in (socket.AF_INET, socket.AF_INET6) and address is not None and not is_local(address[0]):
            if self.type == socket.SOCK_STREAM:
                # Who made it closes it after an `OSError` only, and would leave it open.
                self.close()
            raise refuse(address)
        return method(self, *args)

    return checked


def _checked_lookup(lookup: Callable[..., Any], refuse: Callable[[object], UsageError]) -> Any:
    @wraps(lookup)
    def checked(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_local(host) and not _is_address(host):
            raise refuse(host)
        return lookup(host, *args, **kwargs)

    return checked


def _is_address(host: object) -> bool:
    """Say whether a host is an address already: to look that up asks nobody."""
    try:
        ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return True
