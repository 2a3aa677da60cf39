"""The numbers a business sends from: connected by hand, checked with Meta, and which of them is in use."""

import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.whatsapp import line, problems
from pregon.whatsapp.cloud import errors, management
from pregon.whatsapp.cloud.client import Client
from pregon.whatsapp.models import Number, Portfolio, Quality

T = TypeVar("T")

PACES = {"STANDARD": 80, "HIGH": 1_000}  # messages per second by Meta's level of throughput
WITH_APP = 20  # of a number that is also used with the WhatsApp Business app, whatever its level
SMALLEST_LIMIT = 250  # unique people in 24 h: what Meta gives a business it does not know yet
UNKNOWN_OBJECT = {33, 100, 803}
DESCRIBED = frozenset({"portfolio", "display", "verified_name", "quality", "status", "mps", "synced_at"})
KEY = frozenset({"waba_id", "practice", "token_encrypted"})
GOING_ON = frozenset({"stopped_at", "stop_reason", "resumed_at"})


@dataclass(frozen=True)
class Facts:
    """What Meta says about a number: its own object, and the portfolio's id and name."""

    phone: dict[str, Any]
    owner_id: str
    owner_name: str


def active(account: Account) -> Number | None:
    """The number that promotions leave from: the practice one while practising, else the first real one."""
    return account.numbers.filter(practice=account.practice).select_related("portfolio").order_by("id").first()


def written_to(account: Account) -> Number | None:
    """Whom people write to by themselves: a real number as soon as there is one; while practising, the practice one."""
    usable = account.numbers.filter(Q(practice=False) | Q(practice=account.practice))
    return usable.order_by("practice", "id").first()


def chat(number: Number, words: str) -> str:
    """Opens WhatsApp with these words written to the number, not yet sent."""
    return f"https://wa.me/{re.sub(r'[^0-9]', '', number.display)}?text={quote(words)}"


def connect(account: Account, phone_number_id: str, waba_id: str, token: str) -> Number:
    """Ask Meta for the number and keep it, the token encrypted. Connecting it again replaces the token, and lets a stopped
    number go on: Meta has just answered for it.

    Raises `problems.MetaProblem`, and then nothing is saved.
    """
    return attach(account, line.Key(phone_number_id.strip(), waba_id.strip(), token.strip()))


def attach(account: Account, key: line.Key) -> Number:
    """`connect`, at Meta or at the simulator."""
    if Number.objects.filter(phone_number_id=key.phone_number_id).exclude(account=account).exists():
        raise problems.MetaProblem(
            _("Este número ya está conectado en otro negocio"), _("Desconéctalo allá, o repórtanos el problema")
        )
    facts = line.ask(key, lambda client: _facts(client, key.waba_id))
    number = Number.objects.filter(phone_number_id=key.phone_number_id, account=account).first()
    number = number or Number(account=account, phone_number_id=key.phone_number_id)
    number.waba_id, number.practice, number.token = key.waba_id, key.practice, key.token
    number.stopped_at, number.stop_reason, number.resumed_at = None, "", timezone.now()
    return _save(number, facts, KEY | GOING_ON)


def refresh(number: Number) -> Number:
    """Quality, limit, pace and name as Meta has them now. Raises `problems.MetaProblem`."""
    key = line.key(number)
    return _save(number, line.ask(key, lambda client: _facts(client, key.waba_id)))


def resume(number: Number) -> Number:
    """Let messages leave through a stopped number again, once Meta answers for it. Raises `problems.MetaProblem`."""
    number = refresh(number)
    number.stopped_at, number.stop_reason, number.resumed_at = None, "", timezone.now()
    number.save(update_fields=GOING_ON)
    return number


def pace(phone: Mapping[str, Any]) -> int:
    """Messages per second of a number as Meta describes it; what we cannot read counts as the ordinary one."""
    level = (phone.get("throughput") or {}).get("level")
    return WITH_APP if phone.get("is_on_biz_app") else PACES.get(str(level), PACES["STANDARD"])


def daily_limit(word: str) -> int | None:
    """Unique people in 24 h: `TIER_2K` → 2000; None is unlimited; what we cannot read counts as the smallest."""
    if word == "TIER_UNLIMITED":
        return None
    found = re.fullmatch(r"TIER_(\d+)(K?)", word)
    return int(found[1]) * (1_000 if found[2] else 1) if found else SMALLEST_LIMIT


async def _facts(client: Client, waba_id: str) -> Facts:
    """Asks in the order in which mistakes are told apart, and subscribes our app to the account's webhooks last."""
    phone = await _known(
        management.phone_number(client), _("Meta no encuentra ese identificador de número, o tu token no lo ve")
    )
    missing = _("Meta no encuentra esa cuenta de WhatsApp Business, o tu token no la ve")
    listed = await _known(management.phone_numbers(client, waba_id), missing)
    if client.phone_number_id not in {str(number.get("id")) for number in listed}:
        raise problems.MetaProblem(
            _("Ese número no es de esa cuenta de WhatsApp Business"),
            _("Copia los dos identificadores de la misma página de Meta"),
        )
    owner = await _owner(client, waba_id)
    await management.subscribe(client, waba_id)
    return Facts(phone, str(owner.get("id") or f"waba:{waba_id}"), str(owner.get("name") or ""))


async def _known(question: Awaitable[T], sentence: str) -> T:
    """The answer, or the sentence where Meta says that there is no such thing."""
    try:
        return await question
    except errors.ApiError as error:
        if error.code in UNKNOWN_OBJECT:
            step = _("Revisa los identificadores y los permisos del token en Meta")
            raise problems.MetaProblem(sentence, step, code=error.code, trace_id=error.fbtrace_id) from error
        raise


async def _owner(client: Client, waba_id: str) -> dict[str, Any]:
    """The Meta business that owns the account; empty where the token may not know it (then its limit is the account's own)."""
    try:
        account = await client.call("GET", waba_id, params={"fields": "owner_business_info"})
    except errors.ApiError:
        return {}
    owner = account.get("owner_business_info")
    return owner if isinstance(owner, dict) else {}


@transaction.atomic
def _save(number: Number, facts: Facts, more: frozenset[str] = frozenset()) -> Number:
    """Only what Meta said, and the fields `more`: meanwhile the pump may have stopped it, or its owner given a token."""
    limit = daily_limit(str(facts.phone.get("whatsapp_business_manager_messaging_limit") or ""))
    number.portfolio, _made = Portfolio.objects.update_or_create(
        meta_id=facts.owner_id, defaults={"name": facts.owner_name, "daily_limit": limit}
    )
    _describe(number, facts.phone)
    number.save(update_fields=DESCRIBED | more if number.pk else None)
    return number


def _describe(number: Number, phone: dict[str, Any]) -> None:
    quality = str(phone.get("quality_rating"))
    number.display = str(phone.get("display_phone_number") or number.phone_number_id)
    number.verified_name = str(phone.get("verified_name") or "")[:120]
    number.quality = quality if quality in Quality.values else Quality.UNKNOWN
    number.status = str(phone.get("status") or "CONNECTED")
    number.mps = pace(phone)
    number.synced_at = timezone.now()
