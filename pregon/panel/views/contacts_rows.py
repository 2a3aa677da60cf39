"""The people of a page of the list as rows of its table: with the act that made them what they are, and their last promotion.

Written here and not in a template: fifty rows of a dozen values each were a third of the page's time.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Max
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from pregon.contacts import history
from pregon.contacts.listing import Person
from pregon.contacts.models import MobileProblem
from pregon.panel import wording
from pregon.panel.templatetags import pregon as components
from pregon.sending.models import Message, Status

ROW = """
        <tr>
          {pick}
          <td class="num"><a href="{url}"><b>{name}</b></a><br><span class="small soft">{mobile}</span></td>
          <td>{consent}<span class="only-d"><br><span class="small soft">{how}</span></span></td>
          <td class="full"><span class="only-m"><span class="small soft d-block mb-1">{how}</span></span>{tags}</td>
          <td class="n only-d soft">{last}</td>
        </tr>
      """
PICK = '<td><input class="form-check-input" type="checkbox" name="pick" value="{pk}" aria-label="{choose} {name}" data-pick></td>'


def drawn(people: Sequence[Person], *, may_edit: bool) -> list[SafeString]:
    """A row for each; whoever may change something may pick them."""
    written, row = _written(people), ROW.replace("{pick}", PICK if may_edit else "")
    address, choose, never = reverse("panel:contact", args=[0]), _("Elegir a"), _("Nunca")
    return [
        format_html(
            row,
            pk=person.pk,
            choose=choose,
            url=address.replace("/0/", f"/{person.pk}/"),
            name=person.name or person.mobile or "—",
            mobile=_mobile(person),
            consent=components.consent_pill(person.consent),
            how=_how(person),
            tags=components.tags(person.tags) if person.tags else "",
            last=wording.day(written.get(person.pk)) or never,
        )
        for person in people
    ]


def _written(people: Sequence[Person]) -> dict[int, datetime]:
    """By contact id when each got the last message."""
    sent = Message.objects.filter(contact__in=[person.pk for person in people]).exclude(status=Status.OMITTED)
    return dict(sent.values_list("contact_id").annotate(at=Max("created_at")).order_by())


def _mobile(person: Person) -> str:
    if person.mobile:
        return wording.mobile(person.mobile)
    if person.meta_user_id:
        return format_html("{} {}", components.icon("brand-whatsapp", "s"), _("Sin número · por WhatsApp"))
    given, problem = person.mobile_raw or _("Sin número"), MobileProblem(person.mobile_problem).label
    return format_html("{} {} · {}", components.icon("phone-x", "s"), given, problem)


def _how(person: Person) -> str:
    """«Se apuntó en la tienda, 4 mar»."""
    if person.said is None:
        return f"{history.tell_beginning(person)}, {wording.day(person.created_at)}"
    return f"{history.tell(person.said)}, {wording.day(person.said.happened_at)}"
