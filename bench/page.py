"""How long the list of contacts takes, with 100,000 of them, served as in production."""

from django.conf import settings

from bench import load, processes
from bench.figures import Figure, at_most
from bench.send import add_people
from tests import make
from tests.ports import free_port

CONTACTS = 100_000
REQUESTS = 400
CLIENTS = 4  # at once
PAGES = ("/contactos/", "/contactos/?q=maria+fernanda+7", "/contactos/?q=5500012345")


def measure() -> list[Figure]:
    member = make.business()
    add_people(member.account, CONTACTS)
    cookie = make.signed_in(member).cookies[settings.SESSION_COOKIE_NAME].value
    port = free_port()
    serve = ("granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "1", "--port", str(port))
    with processes.running(*serve, "--log-level", "warning", "pregon.wsgi:application"):
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        requests = [_request(PAGES[n % len(PAGES)], cookie) for n in range(REQUESTS)]
        load.press(port, requests[:40], CLIENTS)
        found = load.press(port, requests, CLIENTS)
    assert not found.odd, found.odd[:3]
    return [
        at_most("page.contacts_p95_ms", found.percentile(0.95) * 1_000, "ms", 100),
        Figure("page.contacts_per_s", round(REQUESTS / found.seconds, 1), "req/s"),
    ]


def _request(path: str, cookie: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {settings.SESSION_COOKIE_NAME}={cookie}\r\n\r\n".encode()
