"""What the columns of a file were, remembered for the next file with the same ones."""

import hashlib
from collections.abc import Sequence

from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.contacts.import_rows import UNIT, Mapping_
from pregon.contacts.models import RememberedMapping
from pregon.lib import text


def find(account: Account, headers: Sequence[str]) -> Mapping_ | None:
    rows = RememberedMapping.objects.filter(account=account, digest=_digest(headers))
    return rows.values_list("mapping", flat=True).first()


def remember(account: Account, headers: Sequence[str], mapping: Mapping_) -> None:
    """Unless the file has no names: "Columna 1" may be anything."""
    if headers[0] != _("Columna %(n)s") % {"n": 1}:
        RememberedMapping.objects.update_or_create(
            account=account, digest=_digest(headers), defaults={"mapping": mapping}
        )


def _digest(headers: Sequence[str]) -> str:
    return hashlib.sha256(UNIT.join(map(text.fold, headers)).encode()).hexdigest()
