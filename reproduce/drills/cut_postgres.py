"""Cut the connections to PostgreSQL under votes: 20 times at random moments, then refuse new ones for 5 seconds.

    python -m reproduce.drills.cut_postgres

The arena connects through a proxy in this process. A cut may come between a commit and its reply.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import make_url

from arena.store import Database
from reproduce.drills.outage import on_postgres

CUTS = 20
REFUSED = 5.0  # seconds
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset, as a broken network does


class Proxy:
    """Forwards TCP connections to a port of this machine until it cuts them."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]

    def cut(self) -> None:
        taken, self._open = self._open, []
        for end in taken:
            with suppress(OSError):  # closed already
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def refuse(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def accept_again(self) -> None:
        self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # closed by `refuse`
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=_forward, args=(source, sink), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # cut
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


PROXIES: list[Proxy] = []


@contextmanager
def through_proxy(url: str) -> Iterator[str]:
    """The URL of the database behind a proxy."""
    direct = make_url(url)
    PROXIES.append(Proxy(direct.port or 5432))
    yield direct.set(port=PROXIES[0].port).render_as_string(hide_password=False)


def cut(_database: Database) -> None:
    chance, (proxy,) = random.Random(0), PROXIES
    for _ in range(CUTS):
        time.sleep(chance.uniform(0.1, 0.6))
        proxy.cut()
    proxy.refuse()
    time.sleep(REFUSED)
    proxy.accept_again()


if __name__ == "__main__":
    on_postgres("Connections to PostgreSQL cut", cut, through_proxy)
