"""Form parts that the panel and the provider share."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pregon.support import attachments


class SeveralFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """A list of files, each of them clean; none is an empty list."""

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[attachments.Upload]:
        given: Iterable[Any] = data if isinstance(data, list | tuple) else [data]
        files = [super(SeveralFilesField, self).clean(file, initial) for file in given if file]
        try:
            attachments.check(files)
        except attachments.Refused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return files


def files_field() -> SeveralFilesField:
    return SeveralFilesField(
        label=_("Adjunto"),
        required=False,
        help_text=_("Una captura de pantalla ayuda mucho. Hasta 3 archivos de 5 MB: imagen, PDF, CSV, Excel o texto."),
        widget=SeveralFilesInput(attrs={"accept": attachments.ACCEPT}),
    )


class ReplyForm(forms.Form):
    """One more message in a case."""

    body = forms.CharField(label=_("Tu mensaje"), max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))
    attached = files_field()
