"""What the provider's pages share: long lists cut in pages, and the clock of the business one talks about."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from pregon.accounts.models import Account

M = TypeVar("M", bound=Model)
SIZE = 50


def clock_of(account: Account | None) -> AbstractContextManager[None]:
    """Hours are those that the business itself sees; without one, of UTC."""
    return timezone.override(account.zone if account else None)


@dataclass(frozen=True)
class Page(Generic[M]):
    """`previous` and `next` are addresses, empty at the ends."""

    rows: list[M]
    previous: str
    next: str


def cut(rows: QuerySet[M], request: HttpRequest) -> Page[M]:
    """The page that `?pagina=` asks for, from 1: the provider's lists are short enough for an offset."""
    asked = request.GET.get("pagina", "1")
    number = max(int(asked), 1) if asked.isdecimal() and len(asked) < 7 else 1
    start = (number - 1) * SIZE
    found = list(rows[start : start + SIZE + 1])
    return Page(
        rows=found[:SIZE],
        previous=_address(request, number - 1) if number > 1 else "",
        next=_address(request, number + 1) if len(found) > SIZE else "",
    )


def _address(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()
    query["pagina"] = str(number)
    return f"{request.path}?{query.urlencode()}"
