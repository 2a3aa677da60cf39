"""Meta's other endpoints: numbers, accounts, templates, media, uploads, tokens, subscriptions."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pregon.simulator import access, media, objects, refusals, reviews, subscriptions, templates
from pregon.simulator.courier import Courier
from pregon.simulator.world import Json, Number, Template, Waba, World

HOURLY = 5000

Handler = Callable[["Graph", Request, Json], Awaitable[Json] | Json | Response]


class Graph:
    """The endpoints over one world."""

    def __init__(self, world: World, courier: Courier) -> None:
        self.world = world
        self.courier = courier
        self.calls: list[float] = []
        self.reviews: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """In the order in which they are tried; `{id}` takes any of Meta's ids."""
        return [Route(path, self._answering(handler), methods=[verb]) for verb, path, handler in TABLE]

    def _answering(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                self._check(request)
                made = handler(self, request, await _given(request))
                return self._response(await made if isinstance(made, Awaitable) else made)
            except refusals.Refusal as refusal:
                return self._json(refusal.body(), refusal.http)
            except (ValueError, TypeError, KeyError, AttributeError):
                return self._json(refusals.Refusal(100, "(#100) Invalid parameter").body(), 400)
            finally:
                await request.close()

        return endpoint

    def _check(self, request: Request) -> None:
        object_id = str(request.path_params.get("id", ""))
        token = request.query_params.get("access_token", "")
        if token:
            access.check_token(self.world, token, object_id, request.method)
        else:
            access.check(self.world, request.scope["headers"], object_id, request.method)
        self._count()

    def _count(self) -> None:
        now = time.time()
        self.calls = [at for at in self.calls if at > now - 3600] + [now]
        if len(self.calls) > HOURLY:
            raise refusals.Refusal(
                80007,
                "(#80007) There have been too many calls to this WhatsApp Business account. Wait a bit and try again.",
            )

    def _response(self, made: Json | Response) -> Response:
        return made if isinstance(made, Response) else self._json(orjson.dumps(made), 200)

    def _json(self, body: bytes, status: int) -> Response:
        return Response(body, status, media_type="application/json", headers=self._headers())

    def _headers(self) -> dict[str, str]:
        usage = {
            "type": "whatsapp_business_management",
            "call_count": len(self.calls) * 100 // HOURLY,
            "total_cputime": 1,
            "total_time": 1,
            "estimated_time_to_regain_access": 60 if len(self.calls) > HOURLY else 0,
        }
        case = orjson.dumps({waba: [usage] for waba in list(self.world.wabas)[:1]}).decode()
        return {"facebook-api-version": "v26.0", "x-fb-trace-id": "practica", "X-Business-Use-Case-Usage": case}

    def owned(self, request: Request) -> tuple[str, Number | Waba | Template | None]:
        """The object a path names."""
        object_id = str(request.path_params["id"])
        world = self.world
        return object_id, world.numbers.get(object_id) or world.wabas.get(object_id) or world.templates.get(object_id)

    def waba(self, request: Request) -> Waba:
        """The account a path names, or Meta's answer to an unknown id."""
        object_id, found = self.owned(request)
        if not isinstance(found, Waba):
            raise refusals.unknown_object(object_id, request.method)
        return found

    def number(self, request: Request) -> Number:
        """The number a path names, or Meta's answer to an unknown id."""
        object_id, found = self.owned(request)
        if not isinstance(found, Number):
            raise refusals.unknown_object(object_id, request.method)
        return found

    def review_soon(self, template: Template) -> None:
        """Decide about a template after a while, and tell."""
        task = asyncio.create_task(self._review(template))
        self.reviews.add(task)
        task.add_done_callback(self.reviews.discard)

    async def _review(self, template: Template) -> None:
        await asyncio.sleep(self.world.settings.review_seconds * self.world.settings.delay)
        if template.id not in self.world.templates or template.status != "PENDING":
            return
        before = template.category
        if reviews.recategorised(template):
            self.tell(
                template, "template_category_update", {"previous_category": before, "new_category": template.category}
            )
        self.tell_status(template, reviews.review(template))

    def tell_status(self, template: Template, more: Json) -> None:
        """The webhook about a template's status."""
        self.tell(
            template,
            "message_template_status_update",
            {"event": template.status, "message_template_category": template.category, **more},
        )

    def tell(self, template: Template, field: str, value: Json) -> None:
        self.world.changed = True
        which = {
            "message_template_id": int(template.id),
            "message_template_name": template.name,
            "message_template_language": template.language.replace("_", "-"),
        }
        self.courier.put(template.waba_id, field, {**value, **which})

    def done(self) -> Json:
        """Meta's answer to a change."""
        self.world.changed = True
        return {"success": True}


async def _given(request: Request) -> Json:
    """Query, form or JSON, as Graph API takes them all."""
    given: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        return given | dict(await request.form())
    if kind.startswith("application/json") and (raw := await request.body()):
        return given | _object(raw)
    return given


def _object(raw: bytes) -> Json:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise refusals.Refusal(100, "(#100) The request body is not JSON") from error
    if not isinstance(body, dict):
        raise refusals.Refusal(100, "(#100) The request body is not a JSON object")
    return body


TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/debug_token", subscriptions.debug_token),
    ("POST", "/upload:{session}", media.upload),
    ("GET", "/upload:{session}", media.read_upload),
    ("GET", "/attachments/{id:int}", media.fetch),
    ("POST", "/{id:int}/uploads", media.start_upload),
    ("POST", "/{id:int}/media", media.keep),
    ("GET", "/{id:int}/phone_numbers", objects.numbers),
    ("GET", "/{id:int}/message_templates", templates.listed),
    ("POST", "/{id:int}/message_templates", templates.create),
    ("DELETE", "/{id:int}/message_templates", templates.delete),
    ("POST", "/{id:int}/subscribed_apps", subscriptions.subscribe),
    ("DELETE", "/{id:int}/subscribed_apps", subscriptions.unsubscribe),
    ("GET", "/{id:int}/subscribed_apps", subscriptions.subscribed),
    ("POST", "/{id:int}/subscriptions", subscriptions.subscribe_app),
    ("POST", "/{id:int}/register", subscriptions.register),
    ("POST", "/{id:int}/deregister", subscriptions.deregister),
    ("GET", "/{id:int}", objects.read),
    ("POST", "/{id:int}", objects.change),
    ("DELETE", "/{id:int}", objects.delete),
)
