"""Words of the provider's pages."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()
LATE = timedelta(hours=2)


@register.filter
def waited(since: datetime) -> str:
    """«12 min», «3 h 10», «2 días»: how long ago."""
    minutes = int((timezone.now() - since).total_seconds() // 60)
    if minutes < 60:
        return _("%(n)s min") % {"n": max(minutes, 0)}
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d}"
    return ngettext("%(n)s día", "%(n)s días", minutes // 1440) % {"n": minutes // 1440}


@register.filter
def late(since: datetime) -> bool:
    """Whether someone waits longer than we want."""
    return timezone.now() - since > LATE
