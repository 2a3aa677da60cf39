"""What every test stands on: a home of its own, and a real PostgreSQL for those that ask for a database.

With DATABASE_URL the tests run on that server; otherwise on an embedded one that lives as long as the session,
started by the first test that needs it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from pregon.embedded import server
from tests import ports
from tests.walks.running import Running


def make_home() -> Path:
    """A folder that everyone may enter: as root, PostgreSQL is someone else."""
    home = Path(tempfile.mkdtemp(prefix="pregon-tests-")).resolve()
    home.chmod(0o755)
    return home


def remove_home(home: Path) -> None:
    data = (home / "postgres").resolve()
    shutil.rmtree(data.parent)  # elsewhere, when `home` lies where only root may go
    shutil.rmtree(home, ignore_errors=True)


# Before Django reads its settings: a developer's own configuration and files are none of the tests' business.
for name in [name for name in os.environ if name.startswith("PREGON_")]:
    del os.environ[name]
HOME = make_home()
atexit.register(remove_home, HOME)
(HOME / "static").mkdir()  # WhiteNoise warns about a folder that is not there
os.environ["PREGON_HOME"] = str(HOME)
os.environ["DJANGO_SETTINGS_MODULE"] = "pregon.settings"
django.setup()


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The server of the session. Its main database is empty: Django's tests make one of their own beside it."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    quick = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    with server.running(HOME, settings=quick) as url:
        yield url


@pytest.fixture(scope="session")
def django_db_modify_db_settings(database_url: str) -> None:
    """Asked for by pytest-django before it makes the test database."""
    import dj_database_url
    from django.db import connections

    where = dj_database_url.parse(database_url)
    for key in ("HOST", "PORT", "USER", "PASSWORD", "NAME"):
        connections.settings["default"][key] = where.get(key, "")


@pytest.fixture
def home() -> Iterator[Path]:
    """A fresh PREGON_HOME for a test that starts servers or commands of its own."""
    folder = make_home()
    yield folder
    remove_home(folder)


@pytest.fixture
def port() -> int:
    """A PORT for `pregon run`: the first of three free ones."""
    return ports.free_port(3)


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """`pregon run` with its demo business, as anyone starts it: shared by all walks of the session."""
    home = make_home()
    with Running(home) as copy:
        yield copy
    remove_home(home)
