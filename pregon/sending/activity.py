"""What happened between a business and a person, as conditions on its contacts (`contacts.rules`).

Promotions alone count: a message to try something out, or by a program, is none. Each looks at the person's own messages, by
`message_by_contact`, or for few people the other way round, from all that the account sent: nothing more is written while sending.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from pregon.contacts import rules
from pregon.contacts.rules import Activity
from pregon.sending.models import Delivery

SENT = """EXISTS (
    SELECT FROM sending_message AS m JOIN sending_batch AS b ON b.id = m.batch_id
    WHERE m.contact_id = c.id AND b.account_id = c.account_id AND b.promotion IS NOT NULL AND {0}
)"""
ANSWERED = """EXISTS (
    SELECT FROM sending_reply AS r
    WHERE r.contact_id = c.id AND r.account_id = c.account_id AND r.received_at > %(since)s
)"""

SQL = {
    "written": SENT.format("m.created_at > %(since)s AND m.status <> 'omitted'"),
    "received": SENT.format(
        f"m.delivery >= {Delivery.DELIVERED:d} AND coalesce(m.delivered_at, m.read_at, m.created_at) > %(since)s"
    ),
    "read": SENT.format("m.read_at > %(since)s"),
    "answered": ANSWERED,
    "failed": SENT.format(
        f"(m.status = 'failed' OR m.delivery = {Delivery.FAILED:d}) AND coalesce(m.settled_at, m.created_at) > %(since)s"
    ),
}
LABELS = {
    "written": _("Promociones que les enviaste"),
    "received": _("Promociones que recibieron"),
    "read": _("Promociones que leyeron"),
    "answered": _("Respuestas"),
    "failed": _("Promociones que no les llegaron"),
}
WORDS: dict[str, dict[str, str | Promise]] = {
    "written": {
        "within": ngettext_lazy(
            "les escribiste en el último día", "les escribiste en los últimos %(days)s días", "days"
        ),
        "not_within": ngettext_lazy(
            "no les has escrito en el último día", "no les has escrito en los últimos %(days)s días", "days"
        ),
        "ever": _("les has escrito alguna vez"),
        "never": _("nunca les has escrito"),
    },
    "received": {
        "within": ngettext_lazy(
            "recibieron una promoción en el último día",
            "recibieron una promoción en los últimos %(days)s días",
            "days",
        ),
        "not_within": ngettext_lazy(
            "no recibieron promociones en el último día",
            "no recibieron promociones en los últimos %(days)s días",
            "days",
        ),
        "ever": _("recibieron alguna promoción"),
        "never": _("nunca recibieron una promoción"),
    },
    "read": {
        "within": ngettext_lazy(
            "leyeron una promoción en el último día", "leyeron una promoción en los últimos %(days)s días", "days"
        ),
        "not_within": ngettext_lazy(
            "no leyeron promociones en el último día", "no leyeron promociones en los últimos %(days)s días", "days"
        ),
        "ever": _("leyeron alguna promoción"),
        "never": _("nunca leyeron una promoción"),
    },
    "answered": {
        "within": ngettext_lazy("respondieron en el último día", "respondieron en los últimos %(days)s días", "days"),
        "not_within": ngettext_lazy(
            "no respondieron en el último día", "no respondieron en los últimos %(days)s días", "days"
        ),
        "ever": _("respondieron alguna vez"),
        "never": _("nunca respondieron"),
    },
    "failed": {
        "within": ngettext_lazy(
            "no les llegó una promoción en el último día",
            "no les llegó una promoción en los últimos %(days)s días",
            "days",
        ),
        "not_within": ngettext_lazy(
            "nada les falló en el último día", "nada les falló en los últimos %(days)s días", "days"
        ),
        "ever": _("alguna vez no les llegó una promoción"),
        "never": _("nunca les falló una promoción"),
    },
}


def register() -> None:
    """Makes them fields of segments."""
    for name, sql in SQL.items():
        rules.register(Activity(name, LABELS[name], sql, WORDS[name]))
