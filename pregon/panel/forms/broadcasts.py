"""Forms of the review page: the list, the hour."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.contacts import segments
from pregon.contacts.models import Segment
from pregon.contacts.rules import Group
from pregon.promotions import audiences
from pregon.promotions.audiences import Definition, Kind
from pregon.promotions.models import Broadcast

MOST_SHOWN = 100  # chosen people that are listed one by one
MOST = 5_000


class AudienceForm(forms.Form):
    """All, by tag, or one by one. Of the ids that come back, only the account's own count."""

    kind = forms.ChoiceField(
        label=_("¿A quién?"),
        choices=[
            (Kind.ALL, _("A todos")),
            (Kind.TAGS, _("Por etiqueta")),
            (Kind.SEGMENT, _("A un segmento")),
            (Kind.CONTACTS, _("A quienes elijas")),
        ],
        widget=forms.RadioSelect,
    )
    tag = forms.TypedMultipleChoiceField(
        label=_("Etiquetas"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    segment = forms.ModelChoiceField(
        Segment.objects.none(),
        label=_("Segmento"),
        required=False,
        empty_label=_("Elige un segmento"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    keep = forms.BooleanField(required=False)

    def __init__(self, account: Account, chosen: Definition, data: Mapping[str, Any] | None = None) -> None:
        ids = {chosen.kind: chosen.ids}
        initial = {
            "kind": chosen.kind,
            "tag": ids.get(Kind.TAGS, ()),
            "segment": next(iter(ids.get(Kind.SEGMENT, ())), None),
        }
        super().__init__(data, initial=initial)
        self.account, self.chosen = account, chosen
        self.fields["tag"].choices = list(audiences.tag_names(account).items())  # type: ignore[attr-defined]
        self.fields["segment"].queryset = account.segments.all()  # type: ignore[attr-defined]
        self.fields["kind"].hints = {  # type: ignore[attr-defined]
            Kind.ALL: _("A quien no dio permiso, o lo retiró, nunca se le escribe"),
            Kind.TAGS: _("A quienes tengan al menos una de las que marques"),
            Kind.SEGMENT: _("A quienes cumplan sus condiciones cuando salga"),
            Kind.CONTACTS: _("Búscalos por nombre o celular y márcalos"),
        }

    @property
    def many(self) -> bool:
        """So many were chosen that they are kept or dropped together."""
        return self.chosen.kind is Kind.CONTACTS and len(self.chosen.ids) > MOST_SHOWN

    def picked(self) -> list[int]:
        """People marked on the page, or chosen before it was sent."""
        if not self.is_bound:
            return [] if self.many or self.chosen.kind is not Kind.CONTACTS else list(self.chosen.ids)
        marked = self.data.getlist("pick")[:MOST]  # type: ignore[attr-defined]
        ids = [int(pk) for pk in marked if pk.isascii() and pk.isdecimal() and len(pk) < 19]
        return list(self.account.contacts.filter(pk__in=ids).values_list("id", flat=True))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        definition = self._definition(cleaned)
        if definition.kind is Kind.TAGS and not definition.ids:
            self.add_error("tag", _("Marca al menos una etiqueta."))
        if cleaned.get("kind") == Kind.SEGMENT and not cleaned.get("segment"):
            self.add_error("segment", _("Elige un segmento."))
        if definition.kind is Kind.SEGMENT and self._outlived(definition.rules):
            self.add_error("segment", _("Una de sus condiciones pide algo que ya no existe: cámbiala antes de usarlo."))
        if definition.kind is Kind.CONTACTS and not definition.ids:
            self.add_error(None, _("Busca y marca al menos a una persona."))
        return cleaned | {"definition": definition}

    def _outlived(self, group: Group) -> bool:
        return segments.outlived(group, segments.names(self.account, group))

    def _definition(self, cleaned: Mapping[str, Any]) -> Definition:
        match cleaned.get("kind"):
            case Kind.TAGS:
                return audiences.define(Kind.TAGS, cleaned.get("tag") or ())
            case Kind.CONTACTS:
                kept = self.chosen.ids if self.many and cleaned.get("keep") else ()
                return audiences.define(Kind.CONTACTS, [*self.picked(), *kept])
            case Kind.SEGMENT if cleaned.get("segment"):
                return audiences.of_segment(cleaned["segment"])
        return Definition()


class Moment(forms.DateTimeField):
    """A day and an hour of the business's own clock; one that the clock skips is refused with the rest."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    input_formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]


class ScheduleForm(forms.Form):
    at = Moment(
        label=_("Día y hora"),
        help_text=_("Con la hora de tu negocio. El cupo se reserva cuando sale, no antes."),
        error_messages={
            "required": _("Elige un día y una hora."),
            "invalid": _("Escribe un día y una hora que existan."),
        },
    )


def proposed(broadcast: Broadcast) -> datetime:
    """What the form proposes: the hour of one that repeats, while it is to come; else tomorrow at ten."""
    if broadcast.occurrence and broadcast.occurrence > timezone.now():
        return timezone.localtime(broadcast.occurrence)
    return (timezone.localtime() + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
