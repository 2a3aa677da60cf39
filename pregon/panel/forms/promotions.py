"""What a promotion says, as a form: its fields follow from the frame, that is the way it is sent and its template."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pregon.lib import text
from pregon.panel import wording
from pregon.promotions import fields, preview, problems, shapes
from pregon.promotions.drafts import NAME, Draft
from pregon.promotions.models import Promotion, Way
from pregon.whatsapp.models import Template

KINDS = [("", gettext_lazy("Sin botón")), ("reply", gettext_lazy("Respuesta")), ("url", gettext_lazy("Enlace"))]
SLOTS = range(1, problems.BUTTONS)  # the last one is always the opt-out
FALLBACK, FALLBACKS = 25, 12  # characters of one, and how many
SUBJECT = 60  # Version.subject


@dataclass(frozen=True)
class Frame:
    """How it is sent; for a template also which one."""

    way: Way
    template: Template | None = None

    @property
    def shape(self) -> shapes.Shape:
        return shapes.read(self.template.components if self.template else [])

    @property
    def gaps(self) -> list[shapes.Gap]:
        """What the person fills in, with asunto and detalle each once."""
        seen: dict[str, shapes.Gap] = {}
        for gap in self.shape.gaps if self.way == Way.TEMPLATE else []:
            seen.setdefault(field_of(gap), gap)
        return list(seen.values())


def field_of(gap: shapes.Gap) -> str:
    return f"gap-{gap.key}" if gap.role == shapes.Role.OTHER else str(gap.role)


class PromotionForm(forms.Form):
    """Saves what is unfinished too: `problems` says what is missing before it is sent."""

    name = forms.CharField(
        label=gettext_lazy("Nombre de la promoción"),
        max_length=NAME,
        help_text=gettext_lazy("Para encontrarla después. Solo se ve en tu panel."),
    )

    def __init__(
        self, frame: Frame, draft: Draft, lacking: Mapping[str, int], data: Mapping[str, Any] | None = None
    ) -> None:
        """`draft`: what was written so far; `lacking`: how many people have nothing in each field it names."""
        self.frame = frame
        super().__init__(data, initial=_initial(frame, draft))
        makers = {Way.TEMPLATE: self._template_fields, Way.OWN: self._own_fields, Way.TEXT: self._free_fields}
        self.fields.update(makers[frame.way]())
        posted = [name.removeprefix("fallback-") for name in data or {} if name.startswith("fallback-")]
        for name in list(dict.fromkeys([*lacking, *draft.fallbacks, *posted]))[:FALLBACKS]:
            self.fields[f"fallback-{name}"] = _fallback(name, lacking.get(name, 0))

    def draft(self) -> Draft:
        """What was typed, valid or not: for the preview as for saving."""
        used = {gap.key: field_of(gap) for gap in self.frame.gaps if gap.role == shapes.Role.OTHER}
        return Draft(
            name=self._typed("name"),
            way=self.frame.way,
            template=self.frame.template,
            subject=self._typed("subject"),
            detail=self._typed("detail"),
            footer=self._typed("footer"),
            buttons=list(self._buttons()),
            values={key: words for key, name in used.items() if (words := self._typed(name))},
            fallbacks=dict(self._fallbacks()),
        )

    @property
    def words(self) -> Iterator[tuple[forms.BoundField, bool]]:
        """(field, is it a whole text) of the message itself, in their order."""
        for name in self.fields:
            if name in ("subject", "detail", "footer") or name.startswith("gap-"):
                yield self[name], name == "detail"

    @property
    def button_rows(self) -> list[tuple[forms.BoundField, forms.BoundField, forms.BoundField]]:
        if self.frame.way == Way.TEMPLATE:
            return []
        return [(self[f"button{n}-kind"], self[f"button{n}-text"], self[f"button{n}-url"]) for n in SLOTS]

    @property
    def fallback_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("fallback-")]

    def _typed(self, name: str) -> str:
        value = self[name].value() if name in self.fields else ""
        return str(value or "").replace("\r\n", "\n").replace("\0", "").strip()

    def _buttons(self) -> Iterator[dict[str, str]]:
        for kind, label, url in self.button_rows:
            if chosen := self._typed(kind.name):
                address = self._typed(url.name) if chosen == "url" else ""
                yield {"kind": chosen, "text": self._typed(label.name), "url": address}

    def _fallbacks(self) -> Iterator[tuple[str, str]]:
        for name in self.fields:
            if name.startswith("fallback-") and (words := self._typed(name)):
                yield name.removeprefix("fallback-"), words

    def _template_fields(self) -> dict[str, forms.Field]:
        return {field_of(gap): _gap_field(gap, self.frame.shape) for gap in self.frame.gaps}

    def _own_fields(self) -> dict[str, forms.Field]:
        return _message_fields(subject_required=True) | _button_fields(problems.LABEL)

    def _free_fields(self) -> dict[str, forms.Field]:
        return _message_fields(subject_required=False) | _button_fields(problems.FREE_LABEL)


def draft_for(frame: Frame, last: Draft | None) -> Draft:
    """What the form begins with in this frame: what was written before, else what usually fits."""
    suggested = {gap.key: gap.suggestion for gap in frame.gaps if gap.suggestion}
    if last is None:
        return Draft("", frame.way, frame.template, values=suggested)
    same = last.way == frame.way and last.template == frame.template
    values = last.values if same else suggested
    return Draft(
        last.name,
        frame.way,
        frame.template,
        last.subject,
        last.detail,
        last.footer,
        last.buttons,
        values,
        last.fallbacks,
    )


def used_fields(draft: Draft, account: Any) -> list[str]:
    """The contact fields that the draft names."""
    return preview.fields_of(draft.version(Promotion(account=account, name=draft.name)))


def chips(names: Sequence[str]) -> list[tuple[str, str]]:
    """What a message field offers to insert: (text, name)."""
    return [(f"{{{{{name}}}}}", name.replace("_", " ")) for name in names]


def _initial(frame: Frame, draft: Draft) -> dict[str, str]:
    values = {field_of(gap): draft.values.get(gap.key, "") for gap in frame.gaps if gap.role == shapes.Role.OTHER}
    buttons = {
        f"button{n}-{key}": one[key]
        for n, one in zip(SLOTS, draft.buttons, strict=False)
        for key in ("kind", "text", "url")
    }
    fallbacks = {f"fallback-{name}": words for name, words in draft.fallbacks.items()}
    words = {"name": draft.name, "subject": draft.subject, "detail": draft.detail, "footer": draft.footer}
    return words | values | buttons | fallbacks


def _gap_field(gap: shapes.Gap, shape: shapes.Shape) -> forms.Field:
    frame = shape.header if gap.place == shapes.Place.HEADER else shape.body
    limit = (problems.HEADER if gap.place == shapes.Place.HEADER else problems.BODY) - len(
        text.PLACEHOLDER.sub("", frame)
    )
    if gap.role == shapes.Role.DETAIL:
        return _area(_("Qué ofreces, hasta cuándo y dónde. En un solo párrafo."), max(1, limit))
    limits = {shapes.Place.URL: problems.URL, shapes.Place.CODE: problems.CODE}
    limit = limits.get(gap.place, max(1, min(limit, SUBJECT) if gap.role == shapes.Role.SUBJECT else limit))
    hint = _("De qué se trata, en una línea.") if gap.role == shapes.Role.SUBJECT else _hint(gap)
    return forms.CharField(label=problems.gap_label(gap), max_length=limit, required=False, help_text=hint)


def _hint(gap: shapes.Gap) -> str:
    return _("Puedes usar datos de cada persona, como {{nombre}}.") if gap.personal else _("Igual para todos.")


def _message_fields(*, subject_required: bool) -> dict[str, forms.Field]:
    hint = _("De qué se trata, en una línea. Va arriba, en negritas.")
    optional = "" if subject_required else " " + _("Puede ir vacío.")
    footer = _("Una línea pequeña debajo. Por ejemplo: Responde BAJA para no recibir más")
    return {
        "subject": forms.CharField(
            label=_("Asunto"), max_length=problems.HEADER, required=False, help_text=hint + optional
        ),
        "detail": _area(_("Qué ofreces, hasta cuándo y dónde. Corto se lee mejor."), problems.BODY),
        "footer": forms.CharField(label=_("Pie"), max_length=problems.FOOTER, required=False, help_text=footer),
    }


def _area(hint: str, limit: int) -> forms.Field:
    return forms.CharField(
        label=_("Detalle"), max_length=limit, required=False, help_text=hint, widget=forms.Textarea({"rows": 5})
    )


def _button_fields(limit: int) -> dict[str, forms.Field]:
    made: dict[str, forms.Field] = {}
    for n in SLOTS:
        made[f"button{n}-kind"] = forms.ChoiceField(label=_("Botón %(n)s") % {"n": n}, choices=KINDS, required=False)
        made[f"button{n}-text"] = forms.CharField(label=_("Palabras"), max_length=limit, required=False)
        made[f"button{n}-url"] = forms.CharField(
            label=_("Dirección"), max_length=problems.URL, required=False, widget=forms.TextInput({"inputmode": "url"})
        )
    return made


def _fallback(name: str, people: int) -> forms.Field:
    hint = ngettext(
        "A una persona de tu base le falta: si lo dejas vacío, se omite.",
        "A %(n)s personas de tu base les falta: si lo dejas vacío, se omiten.",
        people,
    ) % {"n": wording.number(people)}
    return forms.CharField(
        label=_("Si falta «%(name)s», decir") % {"name": name.replace("_", " ")},
        max_length=min(FALLBACK, fields.room(name)),
        required=False,
        help_text=hint if people else "",
    )
