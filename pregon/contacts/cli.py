"""`pregon import FILE`: contacts from a file without a browser. Needs Django set up and a database."""

from pathlib import Path

import click
from django.db.models import Q
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, Member, Role, User
from pregon.contacts import field_values, fields, import_reasons, import_remarks, imports, statements
from pregon.contacts.import_staging import LEFT_OUT, SAVED, Outcome
from pregon.contacts.imports import Review
from pregon.contacts.models import ContactImport
from pregon.lib.spreadsheets import SpreadsheetError


@click.command(help=_("Carga los contactos de FILE (CSV, agenda VCF, XLSX, XLS u ODS) y dice qué pasó con cada fila."))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", "who", default="", help=_("Negocio: su número, o el correo de quien es titular."))
@click.option(
    "--permission",
    "statement", type=click.Choice(list(statements.ALL)), default=statements.NONE, show_default=True,
    help=_("De dónde viene el permiso. Sin él nadie recibe promociones; opt_out es una lista de bajas."),
)  # fmt: skip
@click.option("--wording", default="", help=_("Lo que leyeron las personas cuando aceptaron."))
@click.option("--tag", default="", help=_("Etiqueta para todas"))
@click.option(
    "--dates",
    "order", type=click.Choice([field_values.DAY_FIRST, field_values.MONTH_FIRST]),
    help=_("Qué va primero en fechas como 03/04/1990, si el archivo no lo deja claro."),
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help=_("Revisa y no guarda nada."))
def import_contacts(file: Path, who: str, *, order: str | None, dry_run: bool, **stated: str) -> None:
    """Prints the account of the file; what cannot be read ends with one sentence."""
    account, owner = _owner(who)
    try:
        import_ = _read(account, owner, file, order or "")
        import_.statement, import_.wording, import_.tag = (stated[name] for name in ("statement", "wording", "tag"))
        _run(import_, owner, dry_run=dry_run)
    except (SpreadsheetError, imports.ImportProblem) as error:
        raise click.ClickException(str(error)) from error


def _owner(who: str) -> tuple[Account, User]:
    """The business and who answers for the import: its owner. The only business needs no name."""
    owners = Member.objects.filter(role=Role.OWNER).select_related("account", "user").order_by("id")
    wanted = Q(account_id=int(who)) if who.isdecimal() else Q(user__email__iexact=who)
    found = list(owners.filter(wanted) if who else owners)
    accounts = {member.account_id for member in found}
    if not found:
        raise click.ClickException(_("No hay un negocio con ese número ni un titular con ese correo."))
    if len(accounts) > 1 and not who:
        raise click.ClickException(_("Di de qué negocio con --account."))
    if len(accounts) > 1:
        numbers = ", ".join(str(pk) for pk in sorted(accounts))
        raise click.ClickException(_("Ese correo tiene varios negocios: di cuál (%(numbers)s).") % {"numbers": numbers})
    return found[0].account, found[0].user


def _read(account: Account, owner: User, file: Path, order: str) -> ContactImport:
    with file.open("rb") as opened:
        import_ = imports.start(account, opened, file.name, owner, order=order)
    imports.finish(import_)
    return import_


def _run(import_: ContactImport, owner: User, *, dry_run: bool) -> None:
    if not dry_run:
        imports.commit(import_, owner)
        imports.finish(import_)
        _print(imports.review(import_), _("Se guardó"))
        _print_cells(import_)
        return
    try:
        _print(imports.review(import_), _("Se guardaría"))
        _print_cells(import_)
    finally:
        imports.discard(import_)


def _print(review: Review, saved: str) -> None:
    for title, outcomes, total in ((saved, SAVED, review.saved), (_("Se queda fuera"), LEFT_OUT, review.left_out)):
        click.echo(f"{title}:")
        for outcome in outcomes:
            if review.counts[outcome]:
                click.echo(f"  {review.counts[outcome]:>8}  {Outcome(outcome).label}")
        click.echo(f"  {total:>8}  {_('en total')}")
    click.echo(f"{review.saved} + {review.left_out} = {review.rows} {_('filas')}")
    for row in review.examples:
        click.echo(_("Fila %(line)s: %(why)s") % {"line": row.line, "why": " ".join(import_reasons.tell(row))})


def _print_cells(import_: ContactImport) -> None:
    """Those that are not saved as they stand."""
    for name, figure in import_.remarks.get("counts", {}).items():
        why = import_remarks.tell(name, fields.as_kept(import_))
        click.echo(f"{import_remarks.label(import_, name)}: {figure} × {why}")
