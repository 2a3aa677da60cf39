"""What one asks of Meta besides sending: the number, its templates, media, the webhook subscription.

Every function raises `errors.ApiError` when Meta refuses, `errors.NotSent` or `errors.NoAnswer` when it does not answer.
Ids are Meta's, as strings. `edit_template`, `upload_sample` and `upload_media` wait for pages that edit a template and put a
picture at its head; until then only the tests of the simulator ask them.
"""

import io
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from pregon.whatsapp.cloud.client import Client

NUMBER_FIELDS = (
    "id,display_phone_number,verified_name,quality_rating,code_verification_status,name_status,status,account_mode,"
    "platform_type,is_on_biz_app,throughput,whatsapp_business_manager_messaging_limit,health_status"
)
TEMPLATE_FIELDS = "id,name,language,status,category,components,parameter_format,quality_score,rejected_reason"
PAGE = 100


async def phone_number(client: Client) -> dict[str, Any]:
    """The client's own number: display_phone_number, verified_name, quality_rating, throughput.level, …"""
    return await client.call("GET", client.phone_number_id, params={"fields": NUMBER_FIELDS})


async def phone_numbers(client: Client, waba_id: str) -> list[dict[str, Any]]:
    """All numbers of a WhatsApp business account."""
    return [number async for number in _pages(client, f"{waba_id}/phone_numbers", {"limit": str(PAGE)})]


async def templates(client: Client, waba_id: str) -> list[dict[str, Any]]:
    """All templates of the account, every page of them."""
    params = {"fields": TEMPLATE_FIELDS, "limit": str(PAGE)}
    return [template async for template in _pages(client, f"{waba_id}/message_templates", params)]


async def create_template(client: Client, waba_id: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Hand a template in for review: `{"id", "status", "category"}`. `definition`: name, language, category, components."""
    return await client.call("POST", f"{waba_id}/message_templates", json=dict(definition))


async def edit_template(client: Client, template_id: str, changes: Mapping[str, Any]) -> None:
    """Replace components, category or TTL of a template; it goes back to review."""
    await client.call("POST", template_id, json=dict(changes))


async def upload_media(client: Client, content: bytes, mime: str, *, filename: str = "archivo") -> str:
    """Keep a file at Meta for 30 days; its id goes into messages."""
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime})
    form.add_field("file", io.BytesIO(content), content_type=mime, filename=filename)
    return str((await client.call("POST", f"{client.phone_number_id}/media", data=form))["id"])


async def upload_sample(client: Client, app_id: str, content: bytes, mime: str) -> str:
    """The `header_handle` of a sample file, for creating a template with a media header (not for sending)."""
    params = {"file_length": str(len(content)), "file_type": mime, "file_name": "muestra"}
    session = await client.call("POST", f"{app_id}/uploads", params=params)
    return str(
        (await client.call("POST", str(session["id"]), data=io.BytesIO(content), headers={"file_offset": "0"}))["h"]
    )


async def subscribe(client: Client, waba_id: str) -> None:
    """Have the account's webhooks sent to our app; without it nothing arrives."""
    await client.call("POST", f"{waba_id}/subscribed_apps", json={})


async def _pages(client: Client, path: str, params: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
    """Every item of a list. `paging.next` stands only where another page exists; its cursor is enough to follow it."""
    while True:
        page = await client.call("GET", path, params=params)
        for item in page.get("data", []):
            yield item
        paging = page.get("paging") or {}
        if not paging.get("next"):
            return
        params = params | {"after": paging["cursors"]["after"]}
