"""A case as pages show it, the panel's and the provider's: its conversation, and where the person stood."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from pregon.support.models import Attachment, Case, Reply
from pregon.whatsapp.cloud import codes, errors


@dataclass(frozen=True)
class File:
    name: str
    url: str


@dataclass(frozen=True)
class Post:
    """One message of `{% thread %}`."""

    author: str
    at: datetime
    body: str
    ours: bool
    files: list[File] = field(default_factory=list)


@dataclass(frozen=True)
class About:
    """Where the person stood when they reported: Meta's code with its sentence and next step, and its trace."""

    broadcast: int | None
    code: int | None
    sentence: str
    step: str
    trace: str


def posts(case: Case, files_url: str) -> list[Post]:
    """The report itself, then what was added, in order. Two queries; each file's address is `files_url` and its id."""
    files: dict[int | None, list[File]] = {}
    for attachment in Attachment.objects.filter(case=case).order_by("id"):
        files.setdefault(attachment.reply_id, []).append(File(attachment.name, f"{files_url}{attachment.pk}/"))
    first = Post(str(case.created_by or case.email), case.created_at, case.detail, False, files.get(None, []))
    replies = case.replies.select_related("author")
    return [first, *(_post(case, reply, files.get(reply.pk, [])) for reply in replies)]


def _post(case: Case, reply: Reply, files: list[File]) -> Post:
    author = _("Equipo de soporte") if reply.by_staff and not reply.author else str(reply.author or case.email)
    return Post(author, reply.created_at, reply.body, reply.by_staff, files)


def about(case: Case) -> About:
    """Reads the case's context; whoever made it up, only what we know is shown."""
    code = case.context.get("code")
    rule = errors.classify(code) if isinstance(code, int) and code in codes.RULES else None
    return About(
        broadcast=case.context.get("broadcast"),
        code=code if isinstance(code, int) else None,
        sentence=_(rule.sentence) if rule else "",
        step=_(rule.step) if rule else "",
        trace=str(case.context.get("trace", "")),
    )
