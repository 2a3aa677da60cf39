"""Files that pages give: complete, and in the words and on the clock of whoever asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from pregon.panel import downloads
from tests import make


def test_what_is_written_while_it_is_sent_knows_who_asked() -> None:
    def content() -> Iterator[bytes]:
        for _piece in range(2):
            yield f"{translation.get_language()} {timezone.get_current_timezone_name()}\n".encode()

    with translation.override("en-co"), timezone.override(ZoneInfo("America/Bogota")):
        response = downloads.csv(content(), "x.csv")
    assert list(response) == [b"en-co America/Bogota\n"] * 2
    assert response["Content-Disposition"] == 'attachment; filename="x.csv"'


@pytest.mark.django_db
def test_the_day_of_a_permission_is_the_businesss_own() -> None:
    member = make.business()  # in Mexico City, where it is still the day before
    make.contact(member.account, consent_at=datetime(2026, 3, 2, 3, tzinfo=UTC))
    content = make.signed_in(member).get(reverse("panel:contacts_export")).getvalue().decode()  # type: ignore[attr-defined]
    assert "2026-03-01" in content
