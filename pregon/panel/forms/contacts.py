"""Forms of *Contactos*: a person, their permission, and what one does with many at once."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.accounts.models import Account, User
from pregon.contacts import people, statements, tag_names
from pregon.contacts.models import Contact
from pregon.panel.forms import own_fields


class ContactForm(forms.Form):
    """A person as one types them; `save` raises nothing, it puts what is wrong beside its field."""

    name = forms.CharField(label=gettext_lazy("Nombre"), max_length=120)
    mobile = forms.CharField(
        label=gettext_lazy("Celular"),
        max_length=60,
        help_text=gettext_lazy("Como lo tengas: con espacios, con o sin el código del país."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    email = forms.EmailField(label=gettext_lazy("Correo"), required=False)
    tags = forms.CharField(
        label=gettext_lazy("Etiquetas"),
        max_length=600,
        required=False,
        help_text=gettext_lazy("Sepáralas con comas: Sucursal Centro, Charolas."),
    )

    def __init__(self, account: Account, contact: Contact | None = None, *args: Any, **kwargs: Any) -> None:
        self.account, self.contact = account, contact
        super().__init__(*args, **kwargs)
        own = own_fields.controls(account, contact)
        self.own = [*own]
        self.fields |= {f"own_{place}": control for place, control in enumerate(own.values())}
        self.fields["mobile"].required = contact is None or contact.mobile is not None or not contact.meta_user_id
        if contact:
            self.initial = {**self.initial, **self._as_typed(contact)}

    def _as_typed(self, contact: Contact) -> dict[str, str]:
        typed = {f"own_{place}": contact.fields.get(name, "") for place, name in enumerate(self.own)}
        return typed | {
            "name": contact.name,
            "mobile": contact.mobile_raw or contact.mobile or "",
            "email": contact.email,
            "tags": ", ".join(tag.name for tag in contact.tags.all()),
        }

    def save(self, actor: User) -> Contact | None:
        """The saved contact, or None when the number is bad or somebody else's; the field says why."""
        try:
            if self.contact:
                return people.edit(self.contact, self.details(), actor=actor)
            return people.add(self.account, self.details(), actor=actor)
        except people.AlreadyThere as error:
            url = reverse("panel:contact", args=[error.contact.pk])
            sentence = _("Ya tienes este celular: es de")
            self.add_error("mobile", format_html('{} <a href="{}">{}</a>.', sentence, url, error.contact))
        except people.BadNumber as error:
            self.add_error("mobile", str(error))
        return None

    def details(self) -> people.Details:
        given = self.cleaned_data
        own = {name: given[f"own_{place}"] for place, name in enumerate(self.own)}
        return people.Details(
            name=given["name"],
            mobile=given["mobile"],
            email=given["email"],
            tags=tag_names.split(given["tags"]),
            fields=own_fields.values(self.contact, own),
        )


class ConsentForm(forms.Form):
    """A permission with its evidence."""

    statement = forms.ChoiceField(
        label=gettext_lazy("¿Cómo aceptó?"),
        choices=[(key, statement.one) for key, statement in statements.GRANTING.items()],
        widget=forms.RadioSelect,
    )
    day = forms.DateField(
        label=gettext_lazy("¿Cuándo aceptó?"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("El día en que lo dijo, aunque lo anotes hoy."),
    )
    text = forms.CharField(
        label=gettext_lazy("¿Qué leyó o qué dijo?"),
        max_length=240,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Queda como prueba, con tu nombre y la fecha."),
    )

    def __init__(self, *args: Any, after: datetime | None = None, **kwargs: Any) -> None:
        """`after`: the moment of a withdrawal, that only a later yes can end."""
        self.after = after
        super().__init__(*args, **kwargs)
        self.initial.setdefault("day", timezone.localdate())
        statement = self.fields["statement"]
        statement.hints = {key: each.hint for key, each in statements.GRANTING.items()}  # type: ignore[attr-defined]

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("Ese día aún no llega."))
        if self.after and moment_of(day) <= self.after:
            raise forms.ValidationError(_("Pidió su baja después: solo vale un permiso posterior."))
        return day

    def evidence(self) -> dict[str, Any]:
        """`happened_at`, `text` and `evidence`, as `consent.record` and `Act` take them."""
        return {
            "happened_at": moment_of(self.cleaned_data["day"]),
            "text": self.cleaned_data["text"],
            "evidence": {"statement": self.cleaned_data["statement"]},
        }

    def args(self) -> dict[str, Any]:
        """The same for `bulk.start`."""
        said = self.evidence()
        return said | {"happened_at": said["happened_at"].isoformat()}


class TagsForm(forms.Form):
    """Labels to put on many people, or one to take from them."""

    names = forms.CharField(
        label=gettext_lazy("Poner etiquetas"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Sepáralas con comas: Sucursal Centro, Charolas."),
    )

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["take"] = forms.ModelChoiceField(
            label=_("Quitar una etiqueta"), queryset=account.tags.all(), required=False, empty_label=_("Ninguna")
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not tag_names.split(given["names"]) and not given["take"]:
            raise forms.ValidationError(_("Escribe una etiqueta, o elige la que quieres quitar."))
        return given

    def args(self) -> dict[str, Any]:
        """As `bulk.start` takes them."""
        tag = self.cleaned_data["take"]
        take = {"tag": tag.pk, "name": tag.name} if tag else None
        return {"put": tag_names.split(self.cleaned_data["names"]), "take": take}


class ExportForm(forms.Form):
    """How to download people."""

    format = forms.ChoiceField(
        label=gettext_lazy("¿Con qué lo vas a abrir?"),
        choices=[("xlsx", gettext_lazy("Excel u otra hoja de cálculo")), ("csv", gettext_lazy("Otro programa"))],
        initial="xlsx",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hints = {"xlsx": _("Archivo XLSX"), "csv": _("Archivo CSV, también para más de un millón de personas")}
        self.fields["format"].hints = hints  # type: ignore[attr-defined]

    def args(self) -> dict[str, Any]:
        """As `bulk.start` takes them."""
        return {"format": self.cleaned_data["format"]}


def moment_of(day: date) -> datetime:
    """Now for today; the first moment of any other day, so that a baja of the same day wins."""
    if day == timezone.localdate():
        return timezone.now()
    return timezone.make_aware(datetime.combine(day, time.min))
