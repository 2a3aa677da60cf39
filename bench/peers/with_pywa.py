"""python -m bench.peers.with_pywa WAY MESSAGES: a loop over pywa; WAY is one of `WAYS`. Nothing is written down."""

import asyncio
import sys

import httpx
import pywa
import pywa_async

from bench.peers import line

AT_ONCE = 50  # at 0 ms fewer would be quicker, at 150 ms slower


def client() -> pywa.WhatsApp:
    """A client that believes the stub to be Meta."""
    session = httpx.Client()
    api = pywa.WhatsApp(phone_id=line.NUMBER, token=line.TOKEN, session=session)
    session.base_url = httpx.URL(line.STUB)
    return api


def async_client() -> pywa_async.WhatsApp:
    session = httpx.AsyncClient()
    api = pywa_async.WhatsApp(phone_id=line.NUMBER, token=line.TOKEN, session=session)
    session.base_url = httpx.URL(line.STUB)
    return api


def send_one_by_one(messages: int) -> None:
    api = client()
    for n in range(messages):
        api.send_template(**line.message(n))


async def send_some_at_once(messages: int) -> None:
    api, free = async_client(), asyncio.Semaphore(AT_ONCE)

    async def send(n: int) -> None:
        async with free:
            await api.send_template(**line.message(n))

    await asyncio.gather(*(send(n) for n in range(messages)))


async def send_all_at_once(messages: int) -> None:
    api = async_client()
    await asyncio.gather(*(api.send_template(**line.message(n)) for n in range(messages)))


WAYS = {
    "sync": send_one_by_one,
    "some": lambda messages: asyncio.run(send_some_at_once(messages)),
    "all": lambda messages: asyncio.run(send_all_at_once(messages)),
}

if __name__ == "__main__":
    WAYS[sys.argv[1]](int(sys.argv[2]))
