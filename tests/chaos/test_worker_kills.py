"""Twenty times killed with -9 in the middle of 2,000 messages: nobody twice, nobody missing, the books agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.chaos import worker_kills
from tests.databases import url


@pytest.fixture
def _no_jobs(transactional_db: None) -> Iterator[None]:
    """Without the jobs that other tests left, nor leaving dead workers to them: procrastinate's tables are not emptied."""
    tables = "TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers, procrastinate_events CASCADE"
    with connection.cursor() as cursor:
        cursor.execute(tables)
        yield
        cursor.execute(tables)


@pytest.mark.usefixtures("_no_jobs")
@pytest.mark.timeout(600)
def test_a_worker_that_is_killed_twenty_times() -> None:
    report = worker_kills.run(Path(settings.PREGON_HOME), url(), kills=20, messages=2_000, seed=1)
    assert report.good, report
    assert report.kills == 20
    assert report.received + report.never_received_unconfirmed == 2_000
