"""Files that pages give."""

from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation


def csv(content: Iterator[bytes], name: str) -> StreamingHttpResponse:
    """A CSV to save, written while it is sent, in the language and on the clock of whoever asked for it."""
    response = StreamingHttpResponse(_as_asked(content), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def whole(content: bytes, name: str) -> HttpResponse:
    """A file that is there already; its kind is what its name ends in."""
    kind = {"pdf": "application/pdf", "json": "application/json"}[name.rpartition(".")[2]]
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _as_asked(content: Iterator[bytes]) -> Iterator[bytes]:
    """A response is read after the middleware that set language and clock has put them back."""
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def pieces() -> Iterator[bytes]:
        while True:
            with translation.override(language), timezone.override(zone):
                piece = next(content, None)
            if piece is None:
                return
            yield piece

    return pieces()
