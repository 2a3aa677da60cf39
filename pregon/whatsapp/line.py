"""Asking Meta something from code that waits for the answer (pages, jobs). The pump has a line of its own.

Never call it inside a transaction: the answer may take many seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings

from pregon.whatsapp import problems
from pregon.whatsapp.cloud import errors
from pregon.whatsapp.cloud.client import Client
from pregon.whatsapp.models import Number

T = TypeVar("T")
SECONDS = 10.0  # for one call: a page waits for it
Question = Callable[[Client], Awaitable[T]]


@dataclass(frozen=True)
class Key:
    """What opens one number at Meta, or at the simulator (`practice`)."""

    phone_number_id: str
    waba_id: str
    token: str
    practice: bool = False

    def __repr__(self) -> str:
        return f"Key({self.phone_number_id})"

    @property
    def graph_url(self) -> str:
        return settings.SIMULATOR_URL if self.practice else settings.GRAPH_URL


def key(number: Number) -> Key:
    return Key(number.phone_number_id, number.waba_id, number.token, number.practice)


def ask(key: Key, question: Question[T]) -> T:
    """The answer to an async question about that number. Raises `problems.MetaProblem`."""

    async def asked() -> T:
        async with Client(key.graph_url, key.phone_number_id, key.token, connections=4, timeout=SECONDS) as client:
            return await question(client)

    try:
        return asyncio.run(asked())
    except errors.CloudError as error:
        raise problems.read(error) from error
