"""Pictures of every page at 390 and 1280, light and dark, from a fresh `pregon run`; and the one of the README.

python -m scripts.screenshots [folder]      default: var/screenshots
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser import chromium, pages
from tests.browser.panel import Panel
from tests.walks.people import Sheet
from tests.walks.running import PROVIDER, Running

ROOT = Path(__file__).parents[1]
README = ROOT / "docs" / "resultado.png"
LOOKS = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]
SECONDS_TO_READ = 20  # after a sending: most have read it, and the card tells of it
STARTS = {"panel": pages.STARTS, "staff": ("/staff/",), "fuera": pages.SIGNED_OUT}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "var" / "screenshots")
    folder: Path = parser.parse_args().folder
    home = Path(tempfile.mkdtemp(prefix="pregon-screenshots-")).resolve()
    home.chmod(0o755)
    try:
        with Running(home) as running, chromium.launched() as browser:
            take(browser, running, folder)
    finally:
        shutil.rmtree((home / "postgres").resolve().parent, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def take(browser: Browser, running: Running, folder: Path) -> None:
    """A walk first, so that there is something to see; then every page in every look."""
    sessions = {
        "panel": session(browser, running, running.user, "/"),
        "staff": session(browser, running, PROVIDER, "/staff/"),
        "fuera": None,
    }
    for width, scheme in LOOKS:  # what an earlier run left
        shutil.rmtree(folder / f"{width}-{scheme}", ignore_errors=True)
    for who, kept in sessions.items():
        for width, scheme in LOOKS:
            context = chromium.opened(browser, width, color_scheme=scheme, storage_state=kept)
            page = context.new_page()
            for path in pages.found(context, running.address, STARTS[who]):
                picture(page, running.address + path, folder / f"{width}-{scheme}" / f"{who}{name(path)}.png")
            if who == "panel":
                picture(page, running.simulator, folder / f"{width}-{scheme}" / "celulares.png")
            context.close()


def session(browser: Browser, running: Running, user: str, path: str) -> Any:
    """Signed in; the owner has sent, the README's picture is taken meanwhile."""
    context = chromium.opened(browser, 1280)
    panel = Panel(context, running, Sheet("Feria de marzo", "712"))
    panel.sign_in(user, path)
    if user == running.user:
        pages.furnish(panel)
        result(panel)
    kept = context.storage_state()
    context.close()
    return kept


def result(panel: Panel) -> None:
    """The card of the sending to everybody, once most have read it."""
    panel.go("Envíos y resultados")
    panel.page.get_by_role("link", name="Charolas para tu posada").first.click()
    panel.page.wait_for_timeout(SECONDS_TO_READ * 1000)
    panel.page.reload()
    panel.page.get_by_role("article").screenshot(path=README)
    if README.stat().st_size > 300_000:
        raise SystemExit(f"{README} es mayor que 300 kB.")


def picture(page: Page, address: str, path: Path) -> None:
    page.goto(address)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)


def name(path: str) -> str:
    """/envios/12/lista/ → -envios-12-lista"""
    words = [part for part in path.partition("?")[0].split("/") if part]
    return "".join(f"-{word[:24]}" for word in words)


if __name__ == "__main__":
    main()
