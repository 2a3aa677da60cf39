"""*Repetir*: on which days, at what time, until when."""

from datetime import time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.promotions import recurrences
from pregon.promotions.models import Recurrence
from pregon.promotions.recurrences import Rule

FOREVER, DAY, TIMES = "forever", "day", "times"
WEEK, MONTH = Recurrence.Every.WEEK, Recurrence.Every.MONTH
NEEDED = {"weekdays": ("every", WEEK), "month_day": ("every", MONTH), "until": ("ends", DAY), "times": ("ends", TIMES)}


class RecurrenceForm(forms.Form):
    """Only the fields of what was chosen are read. `account` sets how often one person may be written to."""

    every = forms.ChoiceField(
        label=_("¿Cada cuánto?"),
        choices=Recurrence.Every.choices,
        initial=WEEK,
        widget=forms.RadioSelect,
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Qué días"),
        coerce=int,
        error_messages={"required": _("Marca al menos un día.")},
        widget=forms.CheckboxSelectMultiple,
    )
    month_day = forms.IntegerField(
        label=_("Qué día del mes"),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Escribe un día del 1 al 31.")
        ),
        min_value=1,
        max_value=31,
        help_text=_("En los meses más cortos sale el último día."),
    )
    clock = forms.TimeField(
        label=_("A qué hora"),
        initial=time(10),
        help_text=_("Con la hora de tu negocio."),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Escribe una hora, como 10:00.")),
    )
    ends = forms.ChoiceField(
        label=_("¿Hasta cuándo?"),
        choices=[(FOREVER, _("Hasta que yo la termine")), (DAY, _("Hasta un día")), (TIMES, _("Un número de veces"))],
        initial=FOREVER,
        widget=forms.RadioSelect,
    )
    until = forms.DateField(
        label=_("Último día"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Elige el último día.")),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    times = forms.IntegerField(
        label=_("Cuántas veces"),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Escribe cuántas veces, de 1 a 500.")
        ),
        min_value=1,
        max_value=500,
    )

    use_required_attribute = False  # a browser would ask for fields that the choice hides

    def __init__(self, account: Account, data: QueryDict | None = None) -> None:
        self.account = account
        super().__init__(_chosen(data) if data is not None else None)
        self.fields["weekdays"].choices = [(number, capfirst(str(name))) for number, name in WEEKDAYS.items()]  # type: ignore[attr-defined]
        for name, (choice, value) in NEEDED.items():
            self.fields[name].required = not self.is_bound or self.data.get(choice) == value

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and (sentence := recurrences.crowded(self.account, self.rule())):
            self.add_error("weekdays" if cleaned["every"] == WEEK else None, sentence)
        return cleaned

    def rule(self) -> Rule:
        """What was chosen, and nothing of what was not. Only of a valid form."""
        given, weekly = self.cleaned_data, self.cleaned_data["every"] == WEEK
        return Rule(
            every=Recurrence.Every(given["every"]),
            at=given["clock"],
            weekdays=sorted(given["weekdays"]) if weekly else [],
            month_day=None if weekly else given["month_day"],
            until=given["until"] if given["ends"] == DAY else None,
            times=given["times"] if given["ends"] == TIMES else None,
        )


def _chosen(data: QueryDict) -> QueryDict:
    """Without what a hidden field still holds: it would be refused where nobody sees it."""
    found = data.copy()
    for name, (choice, value) in NEEDED.items():
        if found.get(choice) != value:
            found.pop(name, None)
    return found
