"""One procrastinate job per message, through PostgreSQL."""

from functools import cache

import pywa_async
from procrastinate import App, PsycopgConnector

from bench.peers import line, with_pywa

app = App(connector=PsycopgConnector(conninfo=line.DATABASE, max_size=10))


@cache
def client() -> pywa_async.WhatsApp:
    return with_pywa.async_client()


@app.task
async def send(n: int) -> None:
    await client().send_template(**line.message(n))


def fill(messages: int) -> None:
    with app.open():
        send.batch_defer(*({"n": n} for n in range(messages)))
