"""Who gets the webhooks, what a token is good for, and putting a number on and off the air."""

import secrets
from typing import TYPE_CHECKING

import aiohttp
from starlette.requests import Request

from pregon.simulator import access, refusals
from pregon.simulator.world import Json

if TYPE_CHECKING:
    from pregon.simulator.graph import Graph


async def subscribe(graph: "Graph", request: Request, given: Json) -> Json:
    waba = graph.waba(request)
    callback = str(given.get("override_callback_uri", ""))
    if callback:
        await _verify(callback, str(given.get("verify_token", "")))
    waba.subscribed, waba.callback = True, callback
    return graph.done()


def unsubscribe(graph: "Graph", request: Request, given: Json) -> Json:
    waba = graph.waba(request)
    waba.subscribed, waba.callback = False, ""
    return graph.done()


def subscribed(graph: "Graph", request: Request, given: Json) -> Json:
    waba = graph.waba(request)
    app: Json = {
        "whatsapp_business_api_data": {
            "id": graph.world.settings.app_id,
            "name": "Pregón",
            "link": "https://www.facebook.com/",
        }
    }
    return {
        "data": [app | ({"override_callback_uri": waba.callback} if waba.callback else {})] if waba.subscribed else []
    }


async def subscribe_app(graph: "Graph", request: Request, given: Json) -> Json:
    await _verify(str(given.get("callback_url", "")), str(given.get("verify_token", "")))
    graph.world.settings.callback = str(given["callback_url"])
    return graph.done()


async def _verify(callback: str, token: str) -> None:
    """The GET that a webhook address must answer with the challenge."""
    challenge = str(secrets.randbelow(10**10))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(callback, params=query) as response,
        ):
            right = response.status == 200 and (await response.text()).strip() == challenge
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        right = False
    if not right:
        raise refusals.Refusal(
            2200, "(#2200) Callback verification failed: the address did not answer with the challenge"
        )


def debug_token(graph: "Graph", request: Request, given: Json) -> Json:
    reach = graph.world.settings.tokens.get(str(given.get("input_token", "")), "")
    scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
    targets = list(graph.world.wabas) if reach == access.EVERYTHING else [reach]
    return {
        "data": {
            "app_id": graph.world.settings.app_id,
            "type": "SYSTEM_USER",
            "application": "Pregón",
            "is_valid": reach not in ("", access.EXPIRED),
            "expires_at": 0,
            "data_access_expires_at": 0,
            "scopes": scopes if reach else [],
            "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in scopes] if reach else [],
        }
    }


def register(graph: "Graph", request: Request, given: Json) -> Json:
    """Put a number on the air."""
    graph.number(request).status = "CONNECTED"
    return graph.done()


def deregister(graph: "Graph", request: Request, given: Json) -> Json:
    """Take a number off the air."""
    graph.number(request).status = "DISCONNECTED"
    return graph.done()
