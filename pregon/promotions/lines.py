"""Which number a broadcast leaves from."""

from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.promotions.models import Broadcast, Version
from pregon.whatsapp.models import Number, Quality


def choose(account: Account, version: Version) -> Number | None:
    """The number that can send this version: a template belongs to one WhatsApp account, a mode to its own numbers."""
    numbers = account.numbers.filter(practice=account.practice).select_related("portfolio").order_by("id")
    if version.template:
        numbers = numbers.filter(waba_id=version.template.waba_id)
    return numbers.filter(stopped_at=None).first() or numbers.first()  # one that is stopped says why


def of(broadcast: Broadcast) -> Number | None:
    """Its own; one that has none, or is not approved and of the other mode, takes what is right now."""
    mine = broadcast.number
    settled = mine is not None and (broadcast.approved_at or mine.practice == broadcast.account.practice)
    return mine if settled else choose(broadcast.account, broadcast.version)


def risk(broadcast: Broadcast, number: Number | None) -> str:
    """Why it should not leave unless someone says to go on: Meta rates the number low. Empty when nothing is in the way."""
    if number is None or number.quality != Quality.RED or broadcast.quality_accepted_at:
        return ""
    return _(
        "Meta califica tu número con calidad baja: mucha gente lo bloquea o lo reporta. Si sigues, puede limitarlo."
    )
