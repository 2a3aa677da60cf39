"""Templates handed in: what Meta refuses at once, and what its review decides a little later."""

import itertools
import re
from typing import Any

from pregon.simulator import refusals, shapes
from pregon.simulator.world import Json, Template, World

NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf]")
ADJACENT = re.compile(r"\}\}[\s.,;:]{0,1}\{\{|\}\}\{\{")
PROMOTIONAL = re.compile(r"(?i)oferta|descuento|promoci[oó]n|rebaja|\d\s?%|gratis|2x1")
ASKS_SECRETS = re.compile(r"(?i)contraseña|número de tarjeta|\bcvv\b|\bnip\b")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
LIMIT = 250


def create(world: World, waba_id: str, given: Json, template_id: str) -> Template:
    """The template, pending; a `Refusal` with Meta's subcode when it breaks a rule of form."""
    name, language, category = (str(given.get(key, "")) for key in ("name", "language", "category"))
    if not NAME.fullmatch(name):
        raise refusals.Refusal(
            100, "Invalid parameter", details="name: only lowercase letters, digits and underscores", subcode=2388051
        )
    if not LANGUAGE.fullmatch(language) or category.upper() not in CATEGORIES:
        raise refusals.Refusal(
            100, f"(#100) Invalid parameter: {'category' if LANGUAGE.fullmatch(language) else 'language'}"
        )
    _vacant(world, waba_id, name, language)
    components = given.get("components")
    check(components)
    parameters = str(given.get("parameter_format") or "POSITIONAL").upper()
    return Template(template_id, waba_id, name, language, category.upper(), components or [], "PENDING", parameters)


def check(components: Any) -> None:
    """The rules of form for a template's components."""
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise refusals.missing("components")
    shape = shapes.read(components)
    _check_body(shape, components)
    _check_edges(shape)
    _check_buttons(shape)


def review(template: Template) -> Json:
    """Decide: the template's new status and category, and what the status webhook says besides."""
    text = " ".join((shape := shapes.read(template.components)).header.split() + shape.body.split())
    if ADJACENT.search(text):
        return _rejected(
            template,
            "INVALID_FORMAT",
            "Your template has parameters placed next to each other (like {{1}}{{2}}) without text or punctuation between them.",
            "Separate parameters with descriptive text and ensure each parameter is clearly contextualized.",
        )
    if ASKS_SECRETS.search(text):
        return _rejected(template, "SCAM", "Your template asks for sensitive information.", "Remove the request.")
    template.status, template.rejected_reason = "APPROVED", "NONE"
    return {"reason": "NONE"}


def recategorised(template: Template) -> bool:
    """Meta moves a utility template that promotes something to marketing."""
    promotional = template.category == "UTILITY" and PROMOTIONAL.search(shapes.read(template.components).body)
    template.category = "MARKETING" if promotional else template.category
    return bool(promotional)


def _rejected(template: Template, reason: str, why: str, advice: str) -> Json:
    template.status, template.rejected_reason = "REJECTED", reason
    return {"reason": reason, "rejection_info": {"reason": why, "recommendation": advice}}


def _vacant(world: World, waba_id: str, name: str, language: str) -> None:
    if (waba_id, name, language) in world.index:
        raise refusals.template(
            2388024,
            "Content in This Language Already Exists",
            f"There is already {language} content for this template. You can create a new template and try again.",
        )
    if sum(template.waba_id == waba_id for template in world.templates.values()) >= LIMIT:
        raise refusals.template(2388019, "Message Template Limit Exceeded", f"You can have at most {LIMIT} templates.")


def _check_body(shape: shapes.Shape, components: list[Json]) -> None:
    body = shape.body.strip()
    if not body:
        raise refusals.template(2388072, "Body Format Is Incorrect", "The template needs a body with text.")
    if len(body) > shapes.BODY_LIMIT:
        raise refusals.template(
            2388040, "Character Limit Exceeded", f"The body may have at most {shapes.BODY_LIMIT} characters."
        )
    if body.startswith("{{") or body.endswith("}}"):
        raise refusals.template(
            2388299, "Leading or Trailing Params Not Allowed", "Variables can't be at the start or end of the template."
        )
    if shape.body_variables and len(shapes.VARIABLE.sub(" ", body).split()) <= len(shape.body_variables):
        raise refusals.template(
            2388293, "Parameters Words Ratio Exceeds Limit", "This template has too many variables for its length."
        )
    _check_variables(shape.body_variables)
    _check_examples(shape, components)


def _check_variables(names: tuple[str, ...]) -> None:
    numbered = [name for name in names if name.isdecimal()]
    if numbered and numbered != [str(place) for place in range(1, len(names) + 1)]:
        raise refusals.template(
            2388072, "Body Format Is Incorrect", "Variables must be {{1}}, {{2}} … in order, or all named."
        )


def _check_examples(shape: shapes.Shape, components: list[Json]) -> None:
    body = next(part for part in components if str(part.get("type", "")).upper() == "BODY")
    example = body.get("example") or {}
    if shape.body_variables and not (example.get("body_text") or example.get("body_text_named_params")):
        raise refusals.template(2388072, "Body Format Is Incorrect", "Every variable needs an example.")


def _check_edges(shape: shapes.Shape) -> None:
    if len(shape.header) > 60 or len(shape.header_variables) > 1 or "\n" in shape.header or EMOJI.search(shape.header):
        raise refusals.template(
            2388047,
            "Header Format Is Incorrect",
            "A header has at most 60 characters, one variable, no emoji and no new line.",
        )
    if len(shape.footer) > 60 or shapes.variables(shape.footer):
        raise refusals.template(
            2388073, "Footer Format Is Incorrect", "A footer has at most 60 characters and no variable."
        )


def _check_buttons(shape: shapes.Shape) -> None:
    kinds = [button.kind for button in shape.buttons]
    if len(kinds) > 10 or kinds.count("URL") > 2 or kinds.count("PHONE_NUMBER") > 1 or kinds.count("COPY_CODE") > 1:
        raise refusals.Refusal(100, "(#100) Invalid parameter", details="Too many buttons")
    if any(len(button.text) > 25 for button in shape.buttons):
        raise refusals.Refusal(100, "(#100) Invalid parameter", details="Button text may have at most 25 characters")
    quick = [kind == "QUICK_REPLY" for kind in kinds]
    if sum(one != other for one, other in itertools.pairwise(quick)) > 1:
        raise refusals.Refusal(100, "(#100) Invalid parameter", details="Quick reply buttons must stand together")
    if any(button.variable and not button.url.rstrip().endswith("}}") for button in shape.buttons):
        raise refusals.Refusal(100, "(#100) Invalid parameter", details="A URL variable must be at its end")
