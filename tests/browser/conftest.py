"""One Chromium for a module, on the session's own `pregon run`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.panel import Panel
from tests.walks.people import Sheet
from tests.walks.running import Running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the session: while Playwright's loop runs, Django refuses the database to the tests of other modules."""
    with chromium.launched() as browser:
        yield browser


@pytest.fixture(params=[390, 1280], ids=["phone", "desktop"])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def panel(browser: Browser, running: Running, width: int) -> Iterator[Panel]:
    """Someone who is not signed in yet; the test fails on any error in the console and any failed request."""
    context = chromium.opened(browser, width)
    troubles = chromium.Troubles(context)
    yield Panel(context, running, Sheet(f"Feria {width}", {390: "639", 1280: "712"}[width]))
    context.close()
    assert not troubles.found
