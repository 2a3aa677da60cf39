"""What a person is told when Meta refuses something they asked for, or does not answer.

MetaProblem      nothing was changed here; `sentence` says what happened, `step` what to do next
"""

from django.utils.translation import gettext as _

from pregon.whatsapp.cloud import errors


class MetaProblem(Exception):
    """Sentence and step are translated; `trace_id` is Meta's own, for a case."""

    def __init__(self, sentence: str, step: str, *, code: int | None = None, trace_id: str = "") -> None:
        self.sentence = sentence
        self.step = step
        self.code = code
        self.trace_id = trace_id
        super().__init__(f"{sentence}. {step}.")


def read(error: errors.CloudError) -> MetaProblem:
    """In words for whoever waits at the page."""
    if isinstance(error, errors.ApiError):
        return refused(error, _(error.rule.sentence))
    if isinstance(error, errors.NotSent):
        return MetaProblem(_("No pudimos llegar a Meta"), _("Espera unos minutos e inténtalo otra vez"))
    return MetaProblem(
        _("Meta no alcanzó a contestar"), _("Espera unos minutos, comprueba si ya está hecho e inténtalo otra vez")
    )


def refused(error: errors.ApiError, sentence: str) -> MetaProblem:
    """The step is the rule's own: Meta's `details` may quote what was sent, so they are not shown."""
    return MetaProblem(sentence, _(error.rule.step), code=error.code, trace_id=error.fbtrace_id)
