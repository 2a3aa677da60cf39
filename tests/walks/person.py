"""Someone at the panel without a browser: pages over HTTP with cookies, forms as a browser posts them."""

import json
import re
import urllib.error
import urllib.request
from html import unescape
from http.cookiejar import CookieJar
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.walks.people import Sheet
from tests.walks.running import Running, wait

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
TAGS = re.compile(r"<(script|style|svg|template).*?</\1>|<[^>]+>", re.DOTALL)


class Visitor:
    """Anybody. After every step `url`, `status` and `html` are those of the page one stands on."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.url, self.html, self.status = "", "", 0
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        """A page."""
        return self._open(urllib.request.Request(self._address(path)))

    def post(self, path: str, **fields: Any) -> str:
        """The form of the page one stands on; bytes are a file named `file.csv`, or (name, bytes)."""
        found = TOKEN.search(self.html)
        given = {name: _file(value) for name, value in fields.items()}
        body = encode_multipart(BOUNDARY, given | {"csrfmiddlewaretoken": found[1] if found else ""})
        headers = {"Content-Type": MULTIPART_CONTENT, "Referer": self.url}
        return self._open(urllib.request.Request(self._address(path), body, headers))

    @property
    def path(self) -> str:
        """Of the page one stands on."""
        return self.url.removeprefix(self.running.address).partition("#")[0]

    @property
    def text(self) -> str:
        """What one reads on the page."""
        return " ".join(unescape(TAGS.sub(" ", self.html.partition("<body")[2])).split())

    def _open(self, request: urllib.request.Request) -> str:
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.url, self.status, self.html = answer.url, answer.status, answer.read().decode()
        return self.text

    def _address(self, path: str) -> str:
        return path if path.startswith("http") else self.running.address + path


class Person(Visitor):
    """Signed in as the demo's owner."""

    def __init__(self, running: Running) -> None:
        super().__init__(running)
        self.get("/cuenta/login/")
        self.post("/cuenta/login/", login=running.user, password=running.password)
        assert "/cuenta/logout/" in self.html, self.text

    # The tutorial's steps

    def load(self, sheet: Sheet) -> None:
        """The sheet's CSV, saved with the declaration of where the permission comes from."""
        self.get("/contactos/importar/")
        self.post("/contactos/importar/", file=sheet.csv())
        self.post(f"{self.path}guardar/", statement="store", declared="on")

    def prepare(self, promotion: str, tag: str) -> None:
        """A sending of a saved promotion to the people of a tag, up to its review."""
        self.get("/promociones/")
        pk = re.search(rf'href="/promociones/(\d+)/"><b>{re.escape(promotion)}', self.html)
        assert pk, self.text
        self.post("/envios/nuevo/", promotion=pk[1])
        review = self.path
        self.get(f"{review}lista/")
        box = re.search(rf'value="(\d+)"[^>]*>\s*<span>{re.escape(tag)}<', self.html)
        assert box, self.text
        self.post(f"{review}lista/", kind="tags", tag=box[1])
        self.get(f"{review}omitidos/")

    def sign(self) -> None:
        """The review one stands on."""
        action = re.search(r'action="([^"]+/aprobar/[^"]*)"', self.html)
        assert action, self.text
        self.post(unescape(action[1]), seen="on")

    def send(self) -> int:
        """The signed review; the number of the sending."""
        path = self.path
        self.post(f"{path}enviar/")
        return int(path.split("/")[2])


def results(running: Running, broadcast: int) -> dict[str, Any]:
    """As `pregon results --json` tells them; the five buckets add up to the people."""
    told: dict[str, Any] = json.loads(running.pregon("results", str(broadcast), "--json"))
    assert sum(told["buckets"].values()) == told["people"], told
    return told


def ended(running: Running, broadcast: int) -> dict[str, Any]:
    """The same, once nothing waits any more."""
    return dict(wait(lambda: (told := results(running, broadcast))["buckets"]["waiting"] == 0 and told))


def _file(value: Any) -> Any:
    return SimpleUploadedFile("clientes.csv", value, "text/csv") if isinstance(value, bytes) else value
