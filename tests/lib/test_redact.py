"""No phone number and no token reaches a log."""

import copy
import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings

from pregon.lib import redact


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("to +522225550142 failed", "to •••••0142 failed"),
        ("to 5212225550142", "to •••••0142"),
        ("call +52 222 555-0142 now", "call •••••0142 now"),
        ("Authorization: Bearer EAAGm0PX4ZCpsBAKZC", "Authorization: Bearer •••"),
        ("GET /debug?access_token=abc.def&x=1", "GET /debug?access_token=•••&x=1"),
        ("{'app_secret': 'shh', 'id': 1}", "{'app_secret': '•••', 'id': 1}"),
        ('{"hub.verify_token": "shh"}', '{"hub.verify_token": "•••"}'),
        ("X-Hub-Signature: sha256=abcdef", "X-Hub-Signature: sha256=•••"),
        ("token is EAAGm0PX4ZCpsBAKZCxyz", "token is •••"),
        ("stored v1:gAAAAABmx_-=", "stored •••"),
        ("1284 messages in 3.25 s on 2026-11-22 12:08:32", "1284 messages in 3.25 s on 2026-11-22 12:08:32"),
        ("restarted in 1234567 ms", "restarted in 1234567 ms"),
    ],
)
def test_redact(message: str, expected: str) -> None:
    assert redact.redact(message) == expected


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(redact.Redact())
    logger = logging.getLogger("tests.redact")
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_arguments_are_redacted(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    logger.warning("sending %s to %s", 7, "+522225550142")
    assert stream.getvalue() == "sending 7 to •••••0142\n"


def test_tracebacks_are_redacted(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    try:
        raise RuntimeError("no answer for +522225550142")
    except RuntimeError:
        logger.exception("failed")
    assert "RuntimeError: no answer for •••••0142" in stream.getvalue()
    assert "2225550142" not in stream.getvalue()


def test_a_traceback_is_not_made_anew_from_the_exception() -> None:
    try:
        raise RuntimeError("no answer for +522225550142")
    except RuntimeError:
        [line] = as_json(lambda logger: logger.exception("failed"))
    assert line["exc_info"].endswith("RuntimeError: no answer for •••••0142")
    assert "2225550142" not in str(line)


def test_ids_are_shown_whole_and_other_fields_are_redacted() -> None:
    fields = {
        "broadcast": 123_456_789, "message_id": 5_212_225_550, "message_ids": [123_456_789], "number": "+522225550142",
        "to": 522225550142, "job": {"mobile": "+522225550142"}, "code": None, "seconds": 0.25,
    }  # fmt: skip
    [line] = as_json(lambda logger: logger.warning("sent", extra=fields))
    assert (line["broadcast"], line["message_id"], line["message_ids"]) == (123_456_789, 5_212_225_550, [123_456_789])
    assert (line["number"], line["to"], line["job"]) == ("•••••0142", "•••••0142", "{'mobile': '•••••0142'}")
    assert (line["code"], line["seconds"]) == (None, 0.25)
    assert (line["level"], line["logger"], line["message"]) == ("WARNING", "tests.redact", "sent")
    assert datetime.fromisoformat(line["time"]).tzinfo


def as_json(write: Callable[[logging.Logger], None]) -> list[dict[str, Any]]:
    """What the settings' own JSON handler writes."""
    config = copy.deepcopy(settings.LOGGING)
    stream = io.StringIO()
    config["handlers"]["console"] |= {"formatter": "json", "stream": stream}
    config["loggers"] = {"tests.redact": {"handlers": ["console"], "propagate": False}}
    del config["root"]
    logging.config.dictConfig(config)
    logger = logging.getLogger("tests.redact")
    try:
        write(logger)
    finally:
        logger.handlers.clear()
        logger.propagate = True
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_wrong_format_string_keeps_its_message(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    logger.warning("sending %d", "+522225550142")
    assert stream.getvalue() == "sending %d ('•••••0142',)\n"
