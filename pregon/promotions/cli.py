"""`pregon send` and `pregon results`: the main job without a browser."""

from datetime import datetime
from typing import TypeVar

import click
import orjson
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, Member, Role, User
from pregon.contacts.models import Segment, Tag
from pregon.promotions import approvals, audiences, broadcasts, forecast, launch, omissions
from pregon.promotions import results as outcome
from pregon.promotions.forecast import Forecast
from pregon.promotions.models import Broadcast, Promotion
from pregon.sending.models import Batch

Named = TypeVar("Named", Promotion, Segment)
ACCOUNT = click.option("--account", "of", default="", help=_("Negocio: su número, o el correo de quien es titular."))


@click.command()
@click.argument("promotion")
@ACCOUNT
@click.option("--tag", "tags", multiple=True, help=_("Solo a quienes tienen esta etiqueta; se puede repetir."))
@click.option("--segment", default="", help=_("Solo a quienes están en este segmento: su nombre o su número."))
@click.option(
    "--at", type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]), help=_("A qué hora, en la del negocio.")
)
@click.option("--fit", is_flag=True, help=_("Si el cupo no alcanza, enviar hasta donde alcance."))
@click.option("--yes", is_flag=True, help=_("Aprobar y enviar sin preguntar."))
def send(  # noqa: PLR0913 one per option
    promotion: str, of: str, tags: tuple[str, ...], segment: str, at: datetime | None, fit: bool, yes: bool
) -> None:
    """Prepare a broadcast, show what it would do, and send it once someone approves."""
    owner = _owner(of)
    definition = _definition(owner.account, tags, segment)
    broadcast = broadcasts.prepare(_promotion(owner.account, promotion), owner.user, definition=definition)
    if fit:
        broadcasts.choose_quota(broadcast, Broadcast.Choice.FIT)
    broadcast.refresh_from_db()
    _show_forecast(broadcast, forecast.forecast(broadcast))
    if not yes and not click.confirm(_("¿Apruebas la vista previa y lo envías?")):
        broadcasts.discard(broadcast)
        raise click.Abort
    _send(broadcast, owner.user, at)


def _send(broadcast: Broadcast, actor: User, at: datetime | None) -> None:
    """A refusal becomes the sentence that the command ends with."""
    try:
        approvals.approve(broadcast, actor, seen=approvals.mark(broadcast))
        if at:
            launch.schedule(broadcast, at.replace(tzinfo=broadcast.account.zone))
        else:
            launch.launch(broadcast, actor)
    except (approvals.NotReady, launch.Refused) as refused:
        broadcasts.discard(broadcast)
        raise click.ClickException(str(refused)) from refused
    click.echo((_("Envío %(id)s programado.") if at else _("Envío %(id)s en camino.")) % {"id": broadcast.pk})


@click.command("results")
@click.argument("broadcast", type=int)
@ACCOUNT
@click.option("--json", "as_json", is_flag=True, help=_("En JSON, para otro programa."))
def results(broadcast: int, of: str, as_json: bool) -> None:
    """Print the buckets of a broadcast, their reasons, and the sum that closes."""
    found = _owner(of).account.broadcasts.select_related("batch", "promotion", "account").filter(pk=broadcast).first()
    if found is None or found.batch is None:
        raise click.ClickException(_("Ese envío no existe o aún no ha salido."))
    if as_json:
        click.echo(orjson.dumps(_as_json(found, found.batch), option=orjson.OPT_INDENT_2).decode())
    else:
        _show_results(found, found.batch)


def _as_json(broadcast: Broadcast, batch: Batch) -> dict[str, object]:
    tally = outcome.tally(batch)
    return {
        "broadcast": broadcast.pk,
        "promotion": broadcast.promotion.name,
        "status": batch.status,
        "people": tally.people,
        "buckets": {str(bucket): getattr(tally, bucket) for bucket in outcome.Bucket},
        "delivered": tally.delivered,
        "read": tally.read,
        "omitted": {reason.key: reason.figure for reason in outcome.omitted(broadcast)},
        "failed": {str(reason.code): reason.figure for reason in outcome.failed(batch)},
    }


def _show_results(broadcast: Broadcast, batch: Batch) -> None:
    tally = outcome.tally(batch)
    click.echo(f"«{broadcast.promotion.name}», {batch.get_status_display().lower()}")
    for bucket in outcome.Bucket:
        _line(getattr(tally, bucket), outcome.bucket_name(bucket))
        reasons = {outcome.Bucket.FAILED: outcome.failed(batch), outcome.Bucket.OMITTED: outcome.omitted(broadcast)}
        for reason in reasons.get(bucket, []):
            code = f" (Meta {reason.code})" if reason.code else ""
            _line(reason.figure, f"· {reason.name}{code}")
    _line(tally.people, _("Personas"))


def _show_forecast(broadcast: Broadcast, predicted: Forecast) -> None:
    click.echo(f"«{broadcast.promotion.name}», {_audience(broadcast)}")
    _line(predicted.recipients, _("lo reciben"))
    for omission, figure in predicted.omissions.items():
        _line(figure, f"{omission.label}: {omissions.sentence(omission, broadcast.account)}")
    _line(predicted.people, _("personas"))
    click.echo(
        _("Cupo: te quedan %(before)s, te quedarán %(after)s.")
        % {"before": predicted.remaining, "after": predicted.remaining_after}
    )
    if predicted.cost.lines:
        click.echo(_("Meta cobra cerca de %(total).2f %(currency)s.") % _cost(predicted))


def _audience(broadcast: Broadcast) -> str:
    return audiences.describe(audiences.read(broadcast.audience), audiences.tag_names(broadcast.account))


def _cost(predicted: Forecast) -> dict[str, object]:
    return {"total": predicted.cost.total, "currency": predicted.cost.currency}


def _line(figure: int, words: str) -> None:
    click.echo(f"{figure:>8,}  {words}")


def _owner(account: str) -> Member:
    """The owner in whose name the command acts; with one business alone there is nothing to choose."""
    owners = Member.objects.filter(role=Role.OWNER).select_related("account", "user").order_by("account_id", "id")
    wanted = Q(account_id=int(account)) if account.isdecimal() else Q(user__email__iexact=account)
    found = list(owners.filter(wanted) if account else owners)
    if len({member.account_id for member in found}) != 1:
        listing = "".join(f"\n  {member.account_id}  {member.account.name}" for member in found[:20])
        raise click.ClickException(_("Di de qué negocio con --account.") + listing)
    return found[0]


def _promotion(account: Account, wanted: str) -> Promotion:
    saved = account.promotions.filter(archived_at=None).order_by("-id")
    return _only(saved, wanted, _("No hay una sola promoción con ese nombre. Usa su número."))


def _only(saved: QuerySet[Named], wanted: str, sentence: str) -> Named:
    """By its number, or by its name."""
    found = list(saved.filter(Q(pk=int(wanted)) if wanted.isdecimal() else Q(name__iexact=wanted))[:2])
    if len(found) != 1:
        raise click.ClickException(sentence + "".join(f"\n  {row.pk}  {row}" for row in saved[:20]))
    return found[0]


def _definition(account: Account, names: tuple[str, ...], segment: str) -> audiences.Definition:
    if names and segment:
        raise click.ClickException(_("Di etiquetas o un segmento, no las dos cosas."))
    if segment:
        sentence = _("No hay un solo segmento con ese nombre. Usa su número.")
        return audiences.of_segment(_only(account.segments.all(), segment, sentence))
    if not names:
        return audiences.Definition()
    ids = [
        pk
        for name in names
        for pk in Tag.objects.filter(account=account, name__iexact=name).values_list("id", flat=True)
    ]
    if len(ids) != len(names):
        known = ", ".join(Tag.objects.filter(account=account).values_list("name", flat=True)) or "—"
        raise click.ClickException(_("Esa etiqueta no existe. Tienes: %(names)s") % {"names": known})
    return audiences.define(audiences.Kind.TAGS, ids)
