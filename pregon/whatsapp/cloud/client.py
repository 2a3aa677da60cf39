"""One business number's line to Meta: a session that sends, and that asks.

`send` never sends twice: nothing here repeats a POST, and aiohttp repeats only idempotent methods
(`aiohttp.client.IDEMPOTENT_METHODS`). Whoever holds the outbox decides by the outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
import orjson
from yarl import URL

from pregon.whatsapp.cloud import errors, reading

VERSION = "v26.0"
JSON = {"Content-Type": "application/json"}
CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 4.0  # below any server's own: a connection that the server closes while we write leaves a doubt


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta took the message. `held`: it keeps it back for a while, to see how people like the template."""

    wamid: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """Meta refused it: nothing was sent. `error.rule` says whether to send it again."""

    error: errors.ApiError


@dataclass(frozen=True, slots=True)
class Unsent:
    """The connection never opened: the same message may go again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """It may have been sent. Never again by itself; a status webhook settles it."""

    reason: str
    error: errors.ApiError | None = None


Outcome = Accepted | Rejected | Unsent | Unanswered

# The connector's own failures: raised before a request is written (see aiohttp.client, `_connect_and_send_request`)
NEVER_OPENED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)


class Departures(Protocol):
    """Hears of each request's way to the network."""

    def leaving(self) -> None: ...
    def left(self) -> None: ...
    def stayed(self) -> None:
        """No connection opened for it."""


class _Connector(aiohttp.TCPConnector):
    def __init__(self, departures: Departures, **options: Any) -> None:
        super().__init__(**options)
        self._departures = departures

    async def connect(self, *arguments: Any, **options: Any) -> aiohttp.connector.Connection:
        self._departures.leaving()
        try:
            connection = await super().connect(*arguments, **options)
        except BaseException:
            self._departures.stayed()
            raise
        # aiohttp writes now, uvloop before its next turn: told in that turn, it is never told too early
        self._loop.call_soon(self._departures.left)
        return connection


class Client:
    """An aiohttp session for one phone number and token; use as `async with Client(…) as client`.

    `base_url` is Meta's or the simulator's, `timeout` the seconds for a whole call, `connections` the most at once.
    `departures` hears when each request really leaves, which may be long after its turn where it first has to connect.
    """

    def __init__(  # noqa: PLR0913 - three that every client needs, the others to tune it
        self,
        base_url: str,
        phone_number_id: str,
        token: str,
        *,
        version: str = VERSION,
        connections: int = 100,
        timeout: float = 30.0,
        departures: Departures | None = None,
    ) -> None:
        self.root = f"{base_url.rstrip('/')}/{version}".rstrip("/")
        self.phone_number_id = phone_number_id
        self._messages = URL(f"{self.root}/{phone_number_id}/messages")
        self._token = token.strip()
        self._connections = connections
        self._departures = departures
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=min(CONNECT_SECONDS, timeout / 2))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        options: dict[str, Any] = {"limit": self._connections, "keepalive_timeout": KEEPALIVE_SECONDS}
        self._session = aiohttp.ClientSession(
            connector=_Connector(self._departures, **options) if self._departures else aiohttp.TCPConnector(**options),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"},
            timeout=self._timeout,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def __repr__(self) -> str:
        return f"Client({self.root}, {self.phone_number_id})"

    async def send(self, body: bytes) -> Outcome:
        """Send one message, a body made by `payloads`. Raises nothing but cancellation, after which it may have left."""
        try:
            async with self.session.post(self._messages, data=body, headers=JSON, allow_redirects=False) as response:
                return _outcome(response, await response.read())
        except NEVER_OPENED as error:
            return Unsent(type(error).__name__)
        except NO_ANSWER as error:
            return Unanswered(type(error).__name__)

    async def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Any other call; `options` are aiohttp's (params, json, data, headers). Raises `ApiError`, `NotSent`, `NoAnswer`."""
        try:
            async with self.session.request(
                method, URL(f"{self.root}/{path}"), allow_redirects=False, **options
            ) as response:
                return _answer(response, await response.read())
        except NEVER_OPENED as error:
            raise errors.NotSent(type(error).__name__) from error
        except NO_ANSWER as error:
            raise errors.NoAnswer(type(error).__name__) from error

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session; a `RuntimeError` outside of `async with`."""
        if self._session is None:
            raise RuntimeError("Open the client first: async with Client(…) as client")
        return self._session


def _outcome(response: aiohttp.ClientResponse, raw: bytes) -> Outcome:
    data = _read(raw)
    if response.status == 200 and "error" not in data:
        return _accepted(data)
    if not isinstance(data.get("error"), dict):
        return Unanswered(f"HTTP {response.status}")
    error = _api_error(data["error"], response)
    unsure = error.rule.reaction is errors.Reaction.UNCONFIRMED
    return Unanswered(str(error.code), error) if unsure else Rejected(error)


def _accepted(data: Mapping[str, Any]) -> Outcome:
    try:
        message = data["messages"][0]
        return Accepted(reading.required(message, "id"), message.get("message_status", "accepted") != "accepted")
    except (LookupError, TypeError):
        return Unanswered("HTTP 200 without a message id")


def _answer(response: aiohttp.ClientResponse, raw: bytes) -> dict[str, Any]:
    data = _read(raw)
    if isinstance(data.get("error"), dict):
        raise _api_error(data["error"], response)
    if response.status >= 300 or not data:
        raise errors.NoAnswer(f"HTTP {response.status}")
    return data


def _read(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body; empty when there is none (a proxy's HTML, a cut answer)."""
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return data if isinstance(data, dict) else {}


def _api_error(error: dict[str, Any], response: aiohttp.ClientResponse) -> errors.ApiError:
    return errors.ApiError(error, response.status, retry_after=_retry_after(response.headers))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that Meta asks to wait: `Retry-After`, or the minutes of the busiest business use case."""
    if (seconds := headers.get("Retry-After", "")).isdecimal():
        return float(seconds)
    minutes = max((_minutes(case) for case in _use_cases(headers.get("X-Business-Use-Case-Usage", ""))), default=0.0)
    return minutes * 60 or None


def _use_cases(usage: str) -> list[Any]:
    """The flat list in `{"<waba>": [{"estimated_time_to_regain_access": 3, …}, …]}`."""
    lists = _read(usage.encode()).values()
    return [case for cases in lists if isinstance(cases, list) for case in cases]


def _minutes(case: Any) -> float:
    minutes = case.get("estimated_time_to_regain_access") if isinstance(case, dict) else 0
    return float(minutes) if isinstance(minutes, int | float) else 0.0
