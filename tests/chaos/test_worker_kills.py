"""Twenty times killed with -9 in the middle of 2,000 messages: nobody twice, nobody missing, the books agree."""

from pathlib import Path

import pytest
from django.conf import settings

from tests.chaos import worker_kills
from tests.databases import url


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_a_worker_that_is_killed_twenty_times() -> None:
    report = worker_kills.run(Path(settings.PREGON_HOME), url(), kills=20, messages=2_000, seed=1)
    assert report.good, report
    assert report.kills == 20
    assert report.received + report.never_received_unconfirmed == 2_000
