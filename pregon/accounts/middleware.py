"""Which business a signed-in person is looking at, and in which words."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from pregon.accounts import access
from pregon.lib import catalogues

Response = Callable[[HttpRequest], HttpResponse]


class AccountMiddleware:
    """Sets `request.member` (a seat with its account, or None), the account's time zone and the language.

    Spanish first: the language is what the person chose in the panel, not what a browser happens to ask for. The
    account's country decides how figures are written: 1,148 in Mexico, 1.148 in Colombia.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        member = access.current_member(request)
        request.member = member  # type: ignore[attr-defined]
        language = _chosen_language(request) + (f"-{member.account.country.lower()}" if member else "")
        catalogues.remember(language)
        with timezone.override(member.account.zone if member else None), translation.override(language):
            return self.get_response(request)


def _chosen_language(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
