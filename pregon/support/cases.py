"""Cases: opened by anyone, answered by the provider, one thread for both.

    TooMany    as many came from there within the hour as we take: nothing was saved

A case waits for the provider (`open`), then for the person (`answered`), until one of them closes it; whoever writes
in a closed one opens it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.lib import crypto
from pregon.support import attachments, jobs
from pregon.support.models import Case, Reply

HOUR = timedelta(hours=1)
STRANGERS = 5  # cases an hour from one network address, or naming one e-mail
PEOPLE = 20  # cases an hour of one signed-in person; replies an hour in one case


class TooMany(Exception):
    """Wait an hour; or write in a case that is open already."""

    def __init__(self) -> None:
        super().__init__(
            _("Ya recibimos varios casos tuyos en esta hora. Agrega lo que falta en uno de ellos, o espera un poco.")
        )


@dataclass(frozen=True)
class Report:
    """What someone says went wrong. `context` is where they stood: {"broadcast": 12, "code": 131049, "trace": "…"}."""

    module: str
    email: str
    detail: str
    mobile: str = ""
    link: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    files: Sequence[attachments.Upload] = ()


@dataclass(frozen=True)
class Sender:
    """Who reports. Signed-out people have neither user nor account; `address` is the network's."""

    user: User | None = None
    account: Account | None = None
    address: str = ""

    @property
    def origin(self) -> str:
        return crypto.keyed_hash(self.address, settings.SECRET_KEYS[-1]) if self.address else ""


@transaction.atomic
def open_case(report: Report, sender: Sender) -> Case:
    """Save the case, tell its e-mail so, and the provider. Raises `TooMany`, and `attachments.Refused`."""
    attachments.check(report.files)
    _refuse_flood(report, sender)
    case = Case.objects.create(
        account=sender.account,
        created_by=sender.user,
        origin=sender.origin,
        module=report.module,
        email=report.email,
        mobile=report.mobile,
        link=report.link,
        detail=report.detail,
        context=report.context,
    )
    attachments.keep(case, report.files)
    jobs.tell_opened.defer(case_id=case.pk)
    jobs.tell_provider.defer(case_id=case.pk)
    return case


@transaction.atomic
def reply(case: Case, body: str, *, author: User | None, files: Sequence[attachments.Upload] = ()) -> Reply:
    """The person writes: the case waits for the provider again. Raises `TooMany`, and `attachments.Refused`."""
    Case.objects.select_for_update().get(pk=case.pk)
    if case.replies.filter(by_staff=False, created_at__gt=timezone.now() - HOUR).count() >= PEOPLE:
        raise TooMany
    return _write(case, Reply(case=case, author=author, body=body), files)


@transaction.atomic
def answer(case: Case, body: str, *, author: User, files: Sequence[attachments.Upload] = ()) -> Reply:
    """The provider writes, and the person is told by e-mail. Raises `attachments.Refused`."""
    Case.objects.select_for_update().get(pk=case.pk)
    row = _write(case, Reply(case=case, author=author, body=body, by_staff=True), files)
    jobs.tell_answered.defer(reply_id=row.pk)
    return row


def close(case: Case) -> None:
    """Nothing is left to do; writing in it opens it again."""
    _move(case, Case.Status.CLOSED)


def reopen(case: Case) -> None:
    """It waits for the provider again."""
    _move(case, Case.Status.OPEN)


def _write(case: Case, row: Reply, files: Sequence[attachments.Upload]) -> Reply:
    attachments.check(files)
    row.save()
    attachments.keep(case, files, row)
    _move(case, Case.Status.ANSWERED if row.by_staff else Case.Status.OPEN)
    return row


def _move(case: Case, status: Case.Status) -> None:
    case.status = status
    case.save(update_fields=["status", "updated_at"])


def _refuse_flood(report: Report, sender: Sender) -> None:
    """Counts the last hour behind a lock, so that many at once are counted one after another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('support.cases'))")
    recent = Case.objects.filter(created_at__gt=timezone.now() - HOUR)
    if sender.user:
        flooded = recent.filter(created_by=sender.user).count() >= PEOPLE
    else:
        same = Q(email__iexact=report.email) | (Q(origin=sender.origin) if sender.origin else Q())
        flooded = recent.filter(same, created_by=None).count() >= STRANGERS
    if flooded:
        raise TooMany
