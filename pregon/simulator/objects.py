"""Numbers, accounts and templates by their id: read, change; the list of numbers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from pregon.simulator import media, pages, refusals, shown, templates
from pregon.simulator.world import Json, Number, Template, Waba, World

if TYPE_CHECKING:
    from pregon.simulator.graph import Graph


def read(graph: "Graph", request: Request, given: Json) -> Json:
    object_id, found = graph.owned(request)
    if object_id in graph.world.media:
        return media.show(graph, request, object_id)
    if found is None:
        raise refusals.unknown_object(object_id, "GET")
    return pages.chosen(SHOWN[type(found)](graph.world, found), given)


SHOWN: dict[type, Callable[[World, Any], Json]] = {Number: shown.number, Waba: shown.waba, Template: shown.template}


def change(graph: "Graph", request: Request, given: Json) -> Json:
    object_id, found = graph.owned(request)
    if isinstance(found, Template):
        return templates.edit(graph, found, given)
    if isinstance(found, Number):
        override = given.get("webhook_configuration") or {}
        found.callback = str(override.get("override_callback_uri", found.callback))
        return graph.done()
    raise refusals.unknown_object(object_id, "POST")


def delete(graph: "Graph", request: Request, given: Json) -> Json:
    if graph.world.media.pop(str(request.path_params["id"]), None) is None:
        raise refusals.unknown_object(str(request.path_params["id"]), "DELETE")
    return graph.done()


def numbers(graph: "Graph", request: Request, given: Json) -> Json:
    waba = graph.waba(request)
    numbers = [
        shown.number(graph.world, number) for number in graph.world.numbers.values() if number.waba_id == waba.id
    ]
    return pages.page(request, numbers, given)
