"""How many single-status webhooks are checked, committed and answered in a second."""

import json

from django.conf import settings

from bench import load, processes
from bench.figures import Figure, at_least
from pregon.sending import references
from pregon.webhooks.app import PATH
from pregon.webhooks.models import Arrival
from pregon.whatsapp.cloud import signature
from tests.ports import free_port

REQUESTS = 20_000
CONNECTIONS = 64
SECRET = "medida"


def measure() -> list[Figure]:
    port = free_port()
    settings_of_process = ("uvicorn", "pregon.webhooks.app:application", "--port", str(port), "--log-level", "warning")
    with processes.running(*settings_of_process, PREGON_META_APP_SECRET=SECRET):
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        before = Arrival.objects.count()
        load.press(port, [_request(n) for n in range(2_000)], CONNECTIONS)
        found = load.press(port, [_request(n) for n in range(REQUESTS)], CONNECTIONS)
        kept = Arrival.objects.count() - before
    assert not found.odd, found.odd[:3]
    assert kept == REQUESTS + 2_000, kept
    return [
        at_least("webhook.per_s", REQUESTS / found.seconds, "req/s", 8_000),
        Figure("webhook.p99_ms_saturated", round(found.percentile(0.99) * 1_000, 2), "ms"),
    ]


def _request(n: int) -> bytes:
    status = {
        "id": f"wamid.{n}",
        "status": "delivered",
        "timestamp": "1763650000",
        "recipient_id": f"52155{n:08d}",
        "biz_opaque_callback_data": f"{references.PREFIX}{n}",
        "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"},
    }
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "106540352242922"}, "statuses": [status]}
    change = {"field": "messages", "value": value}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {settings.ALLOWED_HOSTS[0]}\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature-256: {signature.sign(SECRET, body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
