"""How a form's widgets are drawn: our classes and shapes; what they need for accessibility Django itself adds."""

from collections.abc import Mapping

from django.forms import BoundField, widgets
from django.utils.safestring import SafeString

WIDGET_CLASS = {"select": "form-select", "check": "form-check-input", "choices": "form-check-input"}


def kind_of(widget: widgets.Widget) -> str:
    """Which shape of components/field.html draws a widget."""
    match widget:
        case widgets.CheckboxSelectMultiple() | widgets.RadioSelect():
            return "choices"
        case widgets.CheckboxInput():
            return "check"
        case widgets.FileInput():
            return "file"
        case widgets.Select():
            return "select"
        case widgets.Textarea():
            return "area"
    return "text"


def drawn(bound: BoundField, kind: str, counter: bool) -> SafeString:
    """The widget with our classes."""
    own = bound.field.widget.attrs
    own.pop("placeholder", None)  # vanishes when one types: the label and the hint stay
    names = [WIDGET_CLASS.get(kind, "form-control"), "is-invalid" if bound.errors else "", own.get("class", "")]
    attrs: dict[str, str | bool] = {"class": " ".join(filter(None, names))}
    if counter:
        attrs["data-counter"] = f"{bound.auto_id}_counter"
    return bound.as_widget(attrs=attrs)


def choices_of(bound: BoundField) -> list[tuple[SafeString, str, str]]:
    """(the input, its words, its hint) of each radio or checkbox."""
    hints: Mapping[str, str] = getattr(bound.field, "hints", {})
    found = []
    for choice in bound.subwidgets:
        choice.data["attrs"]["class"] = "form-check-input"
        found.append((choice.tag(), str(choice.choice_label), str(hints.get(str(choice.data["value"]), ""))))
    return found
