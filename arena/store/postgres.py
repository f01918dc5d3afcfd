"""Connections to PostgreSQL that fail within a known time, also when the server stops in the middle of a reply."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from sqlalchemy import Engine, create_engine, event

from arena.errors import DatabaseUnavailable
from arena.store.circuit_breaker import CircuitBreaker
from arena.store.connection_limits import ConnectionLimits
from arena.store.outages import NO_ANSWER

PING_TIMEOUT = 2.0  # seconds for the reply of an idle connection before it is used
REPLY_MARGIN = 1.0  # seconds for the server's own report that a statement took too long
# A connection whose peer disappeared is closed after idle + interval x count seconds.
KEEPALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
UNACKNOWLEDGED = 10_000  # milliseconds that sent data may stay without an acknowledgement (Linux)


def postgres_engine(url: str, limits: ConnectionLimits, shown: str) -> Engine:
    """The engine. Raises `ModuleNotFoundError` without the driver."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=limits.pool_size,
        max_overflow=limits.pool_overflow,
        pool_timeout=limits.pool_timeout,
        connect_args={
            "connect_timeout": max(2, round(limits.connect_timeout)),  # libpq takes whole seconds, from 2
            "tcp_user_timeout": UNACKNOWLEDGED,
            **KEEPALIVE,
        },
    )
    event.listen(engine, "do_connect", partial(_connect, limits, shown, CircuitBreaker()))
    setattr(engine.dialect, "do_ping", partial(_ping, engine.dialect.do_ping))  # noqa: B010
    return engine


def _connect(
    limits: ConnectionLimits,
    shown: str,
    breaker: CircuitBreaker,
    _dialect: Any,
    _record: Any,
    args: Any,
    given: Any,
) -> Any:
    """A new connection. Raises `DatabaseUnavailable`."""
    import psycopg

    def failure(error: Exception) -> DatabaseUnavailable | None:
        if not isinstance(error, psycopg.OperationalError):
            return None
        return DatabaseUnavailable(f"{shown}: {str(error).strip().splitlines()[0]}", NO_ANSWER)

    with breaker.attempt(failure):
        connection = _bounded_class().connect(*args, **given)
        if limits.statement_timeout:
            connection.silence_timeout = limits.statement_timeout + REPLY_MARGIN
            connection.execute(f"SET statement_timeout = {round(limits.statement_timeout * 1000)}")
            connection.commit()
    return connection


def _bounded_class() -> Any:
    """psycopg's connection with a limit for the silence of the server. The driver is an extra: imported here.

    The server's own `statement_timeout` does not help when the server is frozen or the network is cut, and psycopg
    waits without a limit. All its waiting passes through `wait`, which resumes the generator ten times a second.
    """
    from psycopg import Connection, OperationalError

    class BoundedConnection(Connection[Any]):
        silence_timeout: float | None = None  # seconds

        def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
            if self.silence_timeout is None:
                return super().wait(gen, *args, **options)
            return super().wait(until_silent(gen, self.silence_timeout, self._give_up), *args, **options)

        def _give_up(self) -> Exception:
            self.close()  # the reply may still come, so nothing else can use the connection
            return OperationalError("the server sent no reply in time")

    return BoundedConnection


def until_silent(gen: Any, seconds: float, give_up: Callable[[], Exception]) -> Generator[Any, Any, Any]:
    """psycopg's generator of waits; raises `give_up()` after `seconds` in which the socket was not ready."""
    last = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            now = time.monotonic()
            if ready:
                last = now
            elif now - last > seconds:
                gen.close()
                raise give_up()
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


def _ping(ping: Callable[[Any], bool], connection: Any) -> bool:
    """Ping with a shorter limit than that of a statement."""
    usual = connection.silence_timeout
    if usual is None:
        return ping(connection)
    connection.silence_timeout = min(usual, PING_TIMEOUT)
    try:
        return ping(connection)
    finally:
        connection.silence_timeout = usual
