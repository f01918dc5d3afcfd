"""An address takes connections before it is printed."""

from __future__ import annotations

import socket

import pytest

from arena.cli.serve import listen, opened_address
from arena.errors import ConfigError


@pytest.mark.service
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_printed_address_takes_connections(host):
    try:
        listener = listen(host, 0)
    except ConfigError:
        pytest.skip(f"this machine has no {host}")
    with listener:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(listener.getsockname()[:2], timeout=5)
        address = opened_address(listener)
        with socket.create_connection(listener.getsockname()[:2], timeout=5):
            pass
        assert address.startswith("http://[::1]:" if ":" in host else "http://127.0.0.1:")
