"""Files: media that messages carry, and the resumable upload of samples for templates."""

import hashlib
import secrets
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from pregon.simulator import refusals, setup
from pregon.simulator.world import Json

if TYPE_CHECKING:
    from pregon.simulator.graph import Graph

LIMIT = 5_000_000
KINDS = {"image/jpeg", "image/png", "video/mp4", "application/pdf", "text/plain", "audio/ogg", "image/webp"}


async def keep(graph: "Graph", request: Request, given: Json) -> Json:
    graph.number(request)
    file = given.get("file")
    if given.get("messaging_product") != "whatsapp" or file is None or isinstance(file, str):
        raise refusals.missing("file" if given.get("messaging_product") == "whatsapp" else "messaging_product")
    mime, content = str(given.get("type") or file.content_type), await file.read()
    if mime not in KINDS or len(content) > LIMIT or not content:
        raise refusals.Refusal(
            100,
            f"(#100) Param file must be a file with one of the following types: {', '.join(sorted(KINDS))}, and at most 5 MB.",
        )
    media_id = setup.new_id()
    graph.world.media[media_id] = (mime, content)
    graph.world.changed = True
    return {"id": media_id}


def show(graph: "Graph", request: Request, media_id: str) -> Json:
    mime, content = graph.world.media[media_id]
    return {
        "messaging_product": "whatsapp",
        "url": str(request.url.replace(path=f"/attachments/{media_id}", query="")),
        "mime_type": mime,
        "sha256": hashlib.sha256(content).hexdigest(),
        "file_size": len(content),
        "id": media_id,
    }


def fetch(graph: "Graph", request: Request, given: Json) -> Response:
    """The file itself."""
    media_id = str(request.path_params["id"])
    if media_id not in graph.world.media:
        raise refusals.unknown_object(media_id, "GET")
    mime, content = graph.world.media[media_id]
    return Response(content, media_type=mime)


def start_upload(graph: "Graph", request: Request, given: Json) -> Json:
    session = f"upload:{secrets.token_urlsafe(24)}"
    graph.world.uploads[session] = (str(given.get("file_type", "")), bytearray())
    return {"id": session}


async def upload(graph: "Graph", request: Request, given: Json) -> Json:
    session = "upload:" + request.path_params["session"]
    if session not in graph.world.uploads:
        raise refusals.unknown_object(session, "POST")
    mime, content = graph.world.uploads[session]
    offset = int(request.headers.get("file_offset", 0))
    content[offset:] = await request.body()
    return {"h": f"4::{mime}:{secrets.token_urlsafe(12)}"}


def read_upload(graph: "Graph", request: Request, given: Json) -> Json:
    session = "upload:" + request.path_params["session"]
    if session not in graph.world.uploads:
        raise refusals.unknown_object(session, "GET")
    return {"id": session, "file_offset": len(graph.world.uploads[session][1])}
