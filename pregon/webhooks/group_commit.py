"""Commits arrivals together, without a timer: what comes in while one commit runs is the next one."""

import asyncio
from typing import Any

import psycopg
from django.db import connection as django_connection

STORE = """
INSERT INTO webhooks_arrival (body, received_at, attempts, error)
SELECT body, clock_timestamp(), 0, '' FROM unnest(%b::bytea[]) AS arrived(body)
"""


class NotStored(Exception):
    """The database did not take it: Meta will send it again."""


class GroupCommit:
    """One connection, one commit at a time; `add` returns once the row is committed."""

    def __init__(self) -> None:
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._lock = asyncio.Lock()

    async def add(self, raw: bytes) -> None:
        """Raises `NotStored`."""
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((raw, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await stored

    async def check(self) -> None:
        """Raises `NotStored` when the database does not answer."""
        await self._execute("SELECT 1", [])

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer
        await self._forget()

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self._execute(STORE, [[raw for raw, _stored in group]])
            except NotStored as error:
                _tell(group, error)
            else:
                _tell(group, None)

    async def _execute(self, sql: str, parameters: list[Any]) -> None:
        """Once more on a new connection when the old one broke: an arrival that is kept twice does no harm."""
        async with self._lock:
            for attempt in (1, 2):
                try:
                    await (await self._connected()).execute(sql, parameters)
                    return
                except psycopg.Error as error:
                    await self._forget()
                    if attempt == 2:
                        raise NotStored(type(error).__name__) from error

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            parameters = {
                name: value
                for name, value in django_connection.get_connection_params().items()
                if name not in {"context", "cursor_factory", "prepare_threshold"}
            }
            self._connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True, prepare_threshold=0)
        return self._connection

    async def _forget(self) -> None:
        """The next commit opens a new connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def _tell(group: list[tuple[bytes, asyncio.Future[None]]], error: NotStored | None) -> None:
    for _raw, stored in group:
        if stored.done():  # its request was given up
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)
