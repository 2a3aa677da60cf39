"""The page "Celulares de práctica": one sees the promotion arrive, and answers it.

It is HTML first: every act is a form that leads back to the page; the script only spares the reload and keeps it live.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jinja2
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pregon.simulator import access, addresses, control, drawing, inbound, personas, setup, words
from pregon.simulator.world import Number, Phone
from pregon.whatsapp.cloud import errors

if TYPE_CHECKING:
    from pregon.simulator.app import Simulator

HERE = Path(__file__).parent
PANEL_STATIC = HERE.parent / "panel" / "static"  # the same look, from the same files
LISTED = 50
TEXT_LIMIT = 1000
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Act = Callable[["Simulator", Phone, str, FormData], None]

environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
environment.filters |= {
    "initials": drawing.initials,
    "pretty": addresses.pretty,
    "paragraphs": drawing.paragraphs,
    "folded": drawing.folded,
    "moment": drawing.moment,
}


def routes(simulator: "Simulator") -> list[BaseRoute]:
    """The page, its acts and its files."""
    return [
        Route("/", _page(simulator)),
        Route("/celulares", _posting(simulator, _added), methods=["POST"]),
        Route("/celulares/vaciar", _posting(simulator, _emptied), methods=["POST"]),
        Route("/celulares/archivos/{media:int}", _picture(simulator)),
        *(
            Route(f"/celulares/{{wa_id}}/{name}", _posting(simulator, _doing(act)), methods=["POST"])
            for name, act in ACTS.items()
        ),
        Mount("/static/panel", StaticFiles(directory=PANEL_STATIC, check_dir=False)),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


def _page(simulator: "Simulator") -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        chosen = simulator.world.phones.get(request.query_params.get("celular", ""))
        return _html(request, "phones.html", _context(simulator, request, chosen))

    return page


def _html(request: Request, template: str, context: dict[str, Any]) -> Response:
    language = words.chosen(request.cookies.get("django_language", ""))
    translations = words.catalogue(language)
    known = {
        "_": translations.gettext,
        "ngettext": translations.ngettext,
        "language": language,
        "theme": request.cookies.get("pregon_theme", "system"),
    }
    return HTMLResponse(environment.get_template(template).render(known | context), headers=HEADERS)


def _context(simulator: "Simulator", request: Request, chosen: Phone | None) -> dict[str, Any]:
    world, query = simulator.world, request.query_params.get("q", "")[:80]
    found = control.find(simulator, query)
    phone = chosen or (found[0] if found else None)
    number = _business(simulator, phone, request.query_params.get("negocio", ""))
    chat = phone.chats.get(number.id, []) if phone and number else []
    return {
        "world": world,
        "query": query,
        "found": found[:LISTED],
        "count": len(found),
        "chosen": chosen,
        "phone": phone,
        "number": number,
        "numbers": list(world.numbers.values()),
        "chat": drawing.visible(chat),
        "undelivered": drawing.undelivered(chat)[:3],
        "reason": _reason,
        "state": drawing.state,
        "states": drawing.STATES,
        "label": drawing.label,
        "told": drawing.told(world),
        "on": phone is not None and personas.is_on(phone, world.settings),
        "endings": personas.BY_ENDING,
        "kinds": drawing.PERSONAS,
        "latest": drawing.newest,
        "error": request.query_params.get("aviso", ""),
        "here": _here(query, chosen),
    }


def _business(simulator: "Simulator", phone: Phone | None, wanted: str) -> Number | None:
    """The business whose chat is open: the wanted one, else that of the newest message, else the first there is."""
    numbers = simulator.world.numbers
    last = drawing.newest(phone) if phone else None
    newest = last.number_id if last else ""
    return numbers.get(wanted) or numbers.get(newest) or next(iter(numbers.values()), None)


def _reason(code: int) -> str:
    return errors.classify(code, asynchronous=True).sentence


def _here(query: str, chosen: Phone | None) -> str:
    return "/?" + urlencode({"q": query} | ({"celular": chosen.wa_id} if chosen else {}))


def _posting(
    simulator: "Simulator", act: Callable[["Simulator", Request, FormData], str]
) -> Callable[[Request], Awaitable[Response]]:
    """An act, then back to the page. Other sites' forms are refused: the page has no sign-in that could stop them."""

    async def posted(request: Request) -> Response:
        if access.foreign(request.headers):
            return PlainTextResponse("Esta acción solo se puede hacer desde la página de celulares.\n", 403)
        async with request.form() as form:
            return RedirectResponse(act(simulator, request, form), 303)

    return posted


def _doing(act: Act) -> Callable[["Simulator", Request, FormData], str]:
    def done(simulator: "Simulator", request: Request, form: FormData) -> str:
        phone = simulator.world.phones.get(request.path_params["wa_id"])
        number = _business(simulator, phone, str(form.get("negocio", "")))
        if phone is None or number is None:
            return "/?aviso=celular"
        try:
            act(simulator, phone, number.id, form)
        except (LookupError, ValueError):
            return _back(phone, form) + "&aviso=mensaje"
        return _back(phone, form)

    return done


def _back(phone: Phone, form: FormData) -> str:
    return "/?" + urlencode(
        {"q": str(form.get("q", "")), "celular": phone.wa_id, "negocio": str(form.get("negocio", ""))}
    )


def _added(simulator: "Simulator", request: Request, form: FormData) -> str:
    number = addresses.digits(str(form.get("numero", "")))
    if not addresses.exists(number):
        return "/?aviso=numero"
    person = {
        "number": number,
        "name": str(form.get("nombre", "")).strip()[:80],
        "persona": str(form.get("persona", "")),
    }
    try:
        setup.configure(simulator.world, {"phones": [person]})
    except ValueError:
        return "/?aviso=numero"
    return "/?" + urlencode({"celular": addresses.wa_id(number)})


def _emptied(simulator: "Simulator", request: Request, form: FormData) -> str:
    simulator.forget()
    return "/"


def _write(simulator: "Simulator", phone: Phone, number_id: str, form: FormData) -> None:
    if text := str(form.get("texto", "")).strip()[:TEXT_LIMIT]:
        inbound.reply(simulator.timeline, phone, number_id, text=text)


def _tap(simulator: "Simulator", phone: Phone, number_id: str, form: FormData) -> None:
    origin = control.newest(phone, str(form.get("wamid", "")))
    inbound.tap(simulator.timeline, phone, origin, int(str(form.get("boton", "-1"))))


def _switch(simulator: "Simulator", phone: Phone, number_id: str, form: FormData) -> None:
    inbound.switch(simulator.timeline, phone, on=form.get("encendido") == "1")


def _block(simulator: "Simulator", phone: Phone, number_id: str, form: FormData) -> None:
    inbound.block(simulator.timeline, phone, number_id, blocked=form.get("bloqueado") == "1")


def _prefer(simulator: "Simulator", phone: Phone, number_id: str, form: FormData) -> None:
    inbound.prefer(simulator.timeline, phone, number_id, stop=form.get("detener") == "1")


ACTS: dict[str, Act] = {
    "escribir": _write,
    "tocar": _tap,
    "energia": _switch,
    "bloqueo": _block,
    "promociones": _prefer,
}


def _picture(simulator: "Simulator") -> Callable[[Request], Awaitable[Response]]:
    async def picture(request: Request) -> Response:
        mime, content = simulator.world.media.get(str(request.path_params["media"]), ("", b""))
        if not mime.startswith("image/"):
            return PlainTextResponse("No hay imagen.\n", 404)
        return Response(content, media_type=mime, headers=HEADERS)

    return picture
