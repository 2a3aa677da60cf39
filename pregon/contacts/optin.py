"""People put themselves on an account's list, and take themselves off it.

    page = optin.publish(account, optin.Offer(title=…, text=…), actor)
    request = optin.ask(page, mobile, ip=…)              # the form: whose number it is, nobody knows yet. TooMany
    heard = optin.heard(account, mobile, said)           # «ALTA K7M2PQ4X», sent from that number: now they are proved
    optin.leave(page, mobile, ip)                        # a no needs no proof. TooMany

    TooMany     wait, in a sentence that tells nothing about the number

A yes is recorded with the text that was shown, and brings back who withdrew only by the person's own message. The code counts
from the number that was typed, or from who hides theirs (of whom the yes is, not of the number), once, while the request is kept.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.contacts import consent, people
from pregon.contacts.consent import Act
from pregon.contacts.models import Consent, ConsentEntry, Contact, OptinPage, OptinRequest, OptinText, Source
from pregon.lib import crypto, text

KEPT = timedelta(days=7)  # requests; older codes count for nothing
WORD = "ALTA"
CODE = 8
LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"  # no vowels: no words; nothing that looks like something else
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A whole shop, or a mobile network, may stand behind one address. A no is done at once, so fewer of them are let through.
PER_ADDRESS = {Consent.GRANTED: 30, Consent.WITHDRAWN: 10}  # an hour
PER_NUMBER = 3  # forms to join a day, of one account
PER_ACCOUNT = 300  # an hour
EVERYDAY = frozenset(
    ("hola", "buenas", "gracias", "info", "informacion", "precio", "precios", "menu", "carta", "promo", "promos")
)


class TooMany(Exception):
    """The same sentence for every limit: it says nothing of whose number it is."""

    def __init__(self) -> None:
        super().__init__(_("Llegaron muchas solicitudes seguidas. Espera un rato y vuelve a intentarlo."))


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a page says and does."""

    title: str
    text: str
    privacy_url: str = ""
    keyword: str = ""
    asks_name: bool = True
    takes_unconfirmed: bool = False
    enabled: bool = True


class Heard(NamedTuple):
    """A yes that a form began and the person's message ended."""

    said: Act
    name: str


class Came(NamedTuple):
    """How many people said yes by themselves."""

    by_form: int
    by_word: int


# The page


@transaction.atomic
def publish(account: Account, offer: Offer, actor: User) -> OptinPage:
    """Makes or changes the account's page; other words are another version."""
    _lock()
    page = of(account) or OptinPage(account=account, slug=_slug(account))
    page.keyword, page.enabled = offer.keyword, offer.enabled
    page.asks_name, page.takes_unconfirmed = offer.asks_name, offer.takes_unconfirmed
    page.save()
    _say(page, offer, actor)
    return page


def of(account: Account) -> OptinPage | None:
    return OptinPage.objects.filter(account=account).first()


def latest(page: OptinPage) -> OptinText:
    """What the page says now."""
    return page.texts.latest("version")


def privacy(account: Account) -> str:
    """What happens with the number, in the page's foot and in the proof."""
    words = _(
        "%(business)s guarda tu número para escribirte por WhatsApp. Te das de baja cuando quieras: responde BAJA."
    )
    return words % {"business": account.name}


def shown(page: OptinPage, words: OptinText) -> str:
    """All that a person reads before they accept, as the proof keeps it."""
    return "\n".join(filter(None, [words.title, words.text, privacy(page.account), words.privacy_url]))


def leaving(account: Account) -> str:
    """What a person reads before they leave."""
    return _("Deja de recibir promociones de %(business)s por WhatsApp.") % {"business": account.name}


def keyword_refusal(word: str) -> str:
    """Why a keyword may not mean yes, or nothing."""
    folded = text.clean_keyword(word)
    if text.optout_keyword(word) == "stop":
        return _("Con esa palabra la gente pide su baja.")
    if len(folded) < 3 or folded in EVERYDAY:
        return _("Esa palabra se escribe por muchos motivos. Elige una que nadie escriba sin querer tus promociones.")
    return ""


def came(account: Account) -> Came:
    """By a form that they confirmed or the account took as it was, and by a word that they wrote."""
    yes = ConsentEntry.objects.filter(account=account, act="granted", source__in=["form", "reply"])
    counts = dict(yes.values_list("source").annotate(Count("mobile_hash", distinct=True)))
    return Came(counts.get(Source.FORM, 0), counts.get(Source.REPLY, 0))


def _slug(account: Account) -> str:
    slug = slugify(account.name)[:50].strip("-") or "negocio"
    taken = OptinPage.objects.filter(slug=slug).exists()
    return f"{slug}-{get_random_string(6, LETTERS.lower())}" if taken else slug


def _say(page: OptinPage, offer: Offer, actor: User) -> None:
    last = page.texts.order_by("-version").first()
    said = {"title": offer.title, "text": offer.text, "privacy_url": offer.privacy_url}
    if last is None or any(getattr(last, name) != value for name, value in said.items()):
        page.texts.create(version=last.version + 1 if last else 1, created_by=actor, **said)


# To join


def ask(page: OptinPage, mobile: str, *, name: str = "", ip: str = "", words: OptinText | None = None) -> OptinRequest:
    """Somebody read `words` (the latest) and sent the form with this number (E.164). Whether it is theirs, their message
    will tell. Raises TooMany.
    """
    words = words or latest(page)
    request = OptinRequest(account=page.account, shown=words, words=shown(page, words), mobile=mobile, name=name)
    return _keep(request, ip)


def take_unconfirmed(request: OptinRequest) -> None:
    """The form alone, as far as it goes: it says that nobody confirmed it, and brings nobody back."""
    newcomer(request.account, request.mobile, request.name)
    consent.grant_number(
        request.account,
        request.mobile,
        source=Source.FORM,
        happened_at=request.created_at,
        text=request.words,
        ip=request.ip or "",
        evidence={"confirmed": False} | _origin(request),
    )
    OptinRequest.objects.filter(pk=request.pk).update(confirmed_at=request.created_at)


def code_in(written: str) -> str:
    """The code in «ALTA K7M2PQ4X», whatever stands between; empty where there is none."""
    folded = text.clean_keyword(written).upper()
    word, code = folded[:-CODE], folded[-CODE:]
    return code if text.optout_keyword(word) == "start" and set(code) <= set(LETTERS) else ""


def keywords(accounts: set[int]) -> dict[int, str]:
    """By account the folded word that means yes there, beside those that mean it everywhere."""
    pages = OptinPage.objects.filter(account__in=accounts, enabled=True).exclude(keyword="")
    return {account: text.clean_keyword(word) for account, word in pages.values_list("account_id", "keyword")}


def heard(account: Account, mobile: str, said: Act) -> Heard | None:
    """The form to which what somebody wrote belongs; None: it speaks for itself alone. The second time it does.

    `mobile` is empty for who hides theirs: of them the code alone tells the form, and their act says so (`hidden`).
    """
    code = code_in(said.text)
    if not code:
        return None
    of_them = OptinRequest.objects.filter(account=account, code=code, **({"mobile": mobile} if mobile else {}))
    waiting = of_them.filter(confirmed_at=None, created_at__gt=said.happened_at - KEPT)
    if not waiting.update(confirmed_at=said.happened_at):  # of two messages at once one waits for the other here
        return None
    request = of_them.select_related("shown__page").get()
    evidence = said.evidence | {"said": said.text} | _origin(request) | ({} if mobile else {"hidden": True})
    act = replace(said, source=Source.FORM, text=request.words, ip=request.ip or "", evidence=evidence)
    return Heard(act, request.name)


def newcomer(account: Account, mobile: str, name: str) -> Contact | None:
    """Whoever has this number (E.164), a contact from now on; None where the number cannot be kept."""
    try:
        return people.add(account, people.Details(name=name, mobile=mobile))
    except people.AlreadyThere as known:
        return known.contact
    except people.BadNumber:
        return None


def _origin(request: OptinRequest) -> dict[str, str | int]:
    words = request.shown
    assert words is not None
    return {"page": words.page.slug, "version": words.version, "asked_at": request.created_at.isoformat()}


# To leave


def leave(page: OptinPage, mobile: str, ip: str = "") -> None:
    """The no of a number (E.164), whether it is in the base or not. Raises TooMany."""
    words, now = leaving(page.account), timezone.now()
    _keep(OptinRequest(account=page.account, act=Consent.WITHDRAWN, words=words, mobile=mobile, confirmed_at=now), ip)
    evidence = {"page": page.slug}
    consent.withdraw_number(
        page.account, mobile, source=Source.FORM, happened_at=now, text=words, ip=ip, evidence=evidence
    )


def leave_url(contact_id: int) -> str:
    """The link of this person alone, by which they leave."""
    return f"{_leave_prefix()}{leave_key(contact_id)}/"


def leave_key(contact_id: int) -> str:
    return f"{contact_id}-{_sign(str(contact_id))}"


# `leave_url` in SQL, for the alias `contact` and with `leave_params`.
LEAVE_SQL = """(%(leave_prefix)s || {contact}.id || '-' || left(encode(sha256(%(leave_outer)s::bytea || sha256(
    %(leave_inner)s::bytea || convert_to({contact}.id::text, 'UTF8'))), 'hex'), 24) || '/')"""


def leave_params() -> dict[str, str | bytes]:
    inner, outer = crypto.pads(_leave_secret())
    return {"leave_prefix": _leave_prefix(), "leave_inner": inner, "leave_outer": outer}


def whose(key: str) -> Contact | None:
    """The contact that a link speaks for, or was merged into; None when we did not write it, or the contact is gone."""
    pk, _dash, sign = key.partition("-")
    if not (pk.isdecimal() and pk.isascii() and len(pk) < 19 and constant_time_compare(sign, _sign(pk))):
        return None
    people = Contact.objects.select_related("account")
    return people.filter(pk=pk).first() or people.filter(merges__lost_id=pk).first()


def leave_by_link(contact: Contact, ip: str = "") -> None:
    """Once: a second click adds nothing."""
    if contact.consent != Consent.WITHDRAWN:
        consent.record(
            contact,
            Consent.WITHDRAWN,
            source=Source.FORM,
            happened_at=timezone.now(),
            text=leaving(contact.account),
            ip=ip,
            evidence={"link": True},
        )


def _sign(pk: str) -> str:
    return crypto.keyed_hash(pk, _leave_secret())[:24]


def _leave_secret() -> str:
    """Of its own: in SQL it may be seen by who administers the database."""
    return crypto.keyed_hash("links to leave", settings.SECRET_KEYS[-1])


def _leave_prefix() -> str:
    return settings.PUBLIC_URL + reverse("panel:optout_link", args=["0"]).removesuffix("0/")


# Limits


@transaction.atomic
def _keep(request: OptinRequest, ip: str) -> OptinRequest:
    _lock()  # many at once are counted one after another
    request.ip, request.code = ip or None, get_random_string(CODE, LETTERS)
    if _flooded(request):
        raise TooMany
    request.save()
    return request


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('contacts.optin'))")


def _flooded(request: OptinRequest) -> bool:
    now, alike = timezone.now(), OptinRequest.objects.filter(act=request.act)
    of_account = alike.filter(account=request.account)
    limits = [(of_account.filter(created_at__gt=now - HOUR), PER_ACCOUNT)]
    if request.act == Consent.GRANTED:  # a no that is said again is no flood
        limits.append((of_account.filter(mobile=request.mobile, created_at__gt=now - DAY), PER_NUMBER))
    if request.ip:
        of_address = alike.filter(ip__range=_network(request.ip), created_at__gt=now - HOUR)
        limits.append((of_address, PER_ADDRESS[Consent(request.act)]))
    return any(rows.count() >= most for rows, most in limits)


def _network(ip: str) -> tuple[str, str]:
    """First and last address of whoever has this one: with IPv6 one gets 2⁶⁴ at once."""
    network = ip_network(f"{ip}/64" if ":" in ip else ip, strict=False)
    return str(network[0]), str(network[-1])
