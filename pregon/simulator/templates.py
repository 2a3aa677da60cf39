"""An account's templates: list, hand in, edit, delete."""

from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request

from pregon.simulator import pages, refusals, reviews, setup, shown
from pregon.simulator.world import Json, Template

if TYPE_CHECKING:
    from pregon.simulator.graph import Graph


def listed(graph: "Graph", request: Request, given: Json) -> Json:
    waba = graph.waba(request)
    templates = [template for template in graph.world.templates.values() if template.waba_id == waba.id]
    for name in ("name", "status", "language", "category"):
        wanted = str(given.get(name, "")).lower()
        templates = [template for template in templates if not wanted or getattr(template, name).lower() == wanted]
    return pages.page(request, [shown.template(graph.world, template) for template in templates], given)


def create(graph: "Graph", request: Request, given: Json) -> Json:
    template = reviews.create(graph.world, graph.waba(request).id, given, setup.new_id())
    graph.world.add_template(template)
    graph.review_soon(template)
    return {"id": template.id, "status": template.status, "category": template.category}


def delete(graph: "Graph", request: Request, given: Json) -> Json:
    waba = graph.waba(request)
    wanted = (
        {str(one) for one in orjson.loads(given["hsm_ids"])}
        if given.get("hsm_ids")
        else {given["hsm_id"]}
        if given.get("hsm_id")
        else set()
    )
    found = [
        template
        for template in graph.world.templates.values()
        if template.waba_id == waba.id and (template.id in wanted if wanted else template.name == given.get("name"))
    ]
    if not found or (wanted and len(found) < len(wanted)):
        raise refusals.Refusal(100, "(#100) Invalid parameter", details="No such message template", subcode=2593002)
    for template in found:
        graph.world.drop_template(template)
    return graph.done()


def edit(graph: "Graph", template: Template, given: Json) -> Json:
    if template.status not in ("APPROVED", "REJECTED", "PAUSED"):
        raise refusals.template(
            2388039, "Status Can't Be Changed", "Only approved, rejected or paused templates can be edited."
        )
    if "components" in given:
        reviews.check(given["components"])
        template.components, template.shape = given["components"], None
    template.status = "PENDING"
    graph.review_soon(template)
    return graph.done()
