"""Who may ask for what: Meta's answers to missing, wrong, expired and foreign tokens."""

from collections.abc import Iterable, Mapping

from pregon.simulator.refusals import Refusal
from pregon.simulator.world import World

EVERYTHING = "*"
EXPIRED = "expired"


def check(world: World, headers: Iterable[tuple[bytes, bytes]], object_id: str, verb: str) -> None:
    """A `Refusal` unless the call's token is known and may touch the object's account."""
    scheme, _, token = (
        next((value for name, value in headers if name == b"authorization"), b"").decode("latin-1").partition(" ")
    )
    check_token(world, token.strip() if scheme.lower() in ("bearer", "oauth") else "", object_id, verb)


def check_token(world: World, token: str, object_id: str, verb: str) -> None:
    """The same for a token from anywhere."""
    if not token:
        raise Refusal(190, "An access token is required to request this resource.", http=401)
    reach = EVERYTHING if token == app_token(world) else world.settings.tokens.get(token, "")
    if not reach:
        raise Refusal(190, "Invalid OAuth access token - Cannot parse access token", http=401)
    if reach == EXPIRED:
        raise Refusal(
            190,
            "Error validating access token: Session has expired on Tuesday, 01-Sep-26 10:00:00 PDT.",
            http=401,
            subcode=463,
        )
    if reach not in (EVERYTHING, account(world, object_id)):
        raise Refusal(
            200,
            "(#200) You do not have the necessary permissions to send messages on behalf of this account",
            http=403,
        )


def foreign(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site makes the browser ask: what has no sign-in refuses that. Programs send no such header."""
    return headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def app_token(world: World) -> str:
    """The app's own token."""
    return f"{world.settings.app_id}|{world.settings.app_secret}"


def account(world: World, object_id: str) -> str:
    """The account an object belongs to; an empty string when there is no such thing."""
    if object_id in world.wabas:
        return object_id
    owner = world.numbers.get(object_id) or world.templates.get(object_id)
    return owner.waba_id if owner else ""
