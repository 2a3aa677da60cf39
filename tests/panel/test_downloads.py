"""Files that pages give: complete, and in the words and on the clock of whoever asked."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from pregon.panel import downloads


def test_what_is_written_while_it_is_sent_knows_who_asked() -> None:
    def content() -> Iterator[bytes]:
        for _piece in range(2):
            yield f"{translation.get_language()} {timezone.get_current_timezone_name()}\n".encode()

    with translation.override("en-co"), timezone.override(ZoneInfo("America/Bogota")):
        response = downloads.csv(content(), "x.csv")
    assert list(response) == [b"en-co America/Bogota\n"] * 2
    assert response["Content-Disposition"] == 'attachment; filename="x.csv"'
