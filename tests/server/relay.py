"""A relay between a client and a server, whose connections the test cuts, and which leads elsewhere when it is told."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Pass bytes on between the clients of `port` and whatever listens at `target` when they come.

    `cut_when` is asked with all that a connection has brought to its client so far: true cuts it, once.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.cuts = 0
        self.cut_when: Callable[[bytes], bool] = lambda passed: False
        self.on_cut: Callable[[], None] = lambda: None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()

    def work(self) -> None:
        """Take connections until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Cut everything."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in list(self._open):
            _shut(each)

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        self._open |= {client, server}
        upward = threading.Thread(target=self._copy, args=(client, server, False), daemon=True)
        upward.start()
        self._copy(server, client, True)
        upward.join()
        for each in (client, server):
            each.close()
            self._open.discard(each)

    def _copy(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        passed = b""
        with suppress(OSError):
            while data := source.recv(65536):
                passed += data
                target.sendall(data)
                if is_answer and self.cut_when(passed):
                    self.cuts += 1
                    self.on_cut()
                    break
        _shut(source)
        _shut(target)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(target: int) -> Iterator[Relay]:
    """Relay to a port while the block runs."""
    made = Relay(target)
    thread = threading.Thread(target=made.work, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join()
