"""Meta's error answers, in Meta's words (sample `details` are those of public logs)."""

import secrets

import orjson


class Refusal(Exception):
    """An answer with an `error` object."""

    def __init__(self, code: int, message: str, *, details: str = "", http: int = 400, subcode: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.http = http
        self.subcode = subcode
        self.titles: tuple[str, str] | None = None  # error_user_title, error_user_msg: only template creation has them

    def body(self) -> bytes:
        """The whole answer as JSON."""
        error: dict[str, object] = {"message": self.message, "type": "OAuthException", "code": self.code}
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.titles:
            error |= {"is_transient": False, "error_user_title": self.titles[0], "error_user_msg": self.titles[1]}
        return orjson.dumps({"error": error | {"fbtrace_id": "A" + secrets.token_urlsafe(16)}})


def missing(parameter: str) -> Refusal:
    """A required parameter is not there."""
    return Refusal(100, f"(#100) The parameter {parameter} is required.")


def invalid(details: str) -> Refusal:
    """A parameter's value is wrong."""
    return Refusal(131009, "(#131009) Parameter value is not valid", details=details)


def incomplete(details: str) -> Refusal:
    """A part of the message is missing."""
    return Refusal(131008, "(#131008) Required parameter is missing", details=details)


def unknown_object(object_id: str, verb: str) -> Refusal:
    """No such id, or not for this token."""
    text = (
        f"Unsupported {verb.lower()} request. Object with ID '{object_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation. Please read the Graph API documentation."
    )
    return Refusal(100, text, subcode=33)


def template(subcode: int, title: str, text: str) -> Refusal:
    """A template that may not be created."""
    refusal = Refusal(100, "Invalid parameter", subcode=subcode)
    refusal.titles = (title, text)
    return refusal


# What a webhook's `errors` say: code → title, details
LATER = {
    130472: (
        "User's number is part of an experiment",
        "Failed to send message because this user's phone number is part of an experiment",
    ),
    131026: ("Message undeliverable", "Message Undeliverable."),
    131047: (
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    131049: (
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    131050: (
        "User has stopped receiving marketing messages",
        "The user has chosen to stop receiving marketing messages from this business.",
    ),
    131053: ("Media upload error", "Media could not be downloaded or is not supported."),
    132015: ("Template is paused", "Template is paused due to low quality so it cannot be sent."),
}


def later(code: int) -> dict[str, object]:
    """One entry of a status webhook's `errors`."""
    title, details = LATER.get(code, ("Something went wrong", "Something went wrong."))
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": "/documentation/business-messaging/whatsapp/support/error-codes",
    }
