"""A file of contacts on its way in: upload, columns and review on one page, then how far it is, and what was saved."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from pregon.accounts import access, clients
from pregon.accounts.models import Role
from pregon.contacts import fields, import_reasons, import_remarks, imports, segments, statements
from pregon.contacts.import_staging import Outcome
from pregon.contacts.imports import Review
from pregon.contacts.models import ContactImport
from pregon.lib.spreadsheets import SpreadsheetError
from pregon.panel.forms.contacts_imports import ColumnsForm, CommitForm, FileForm
from pregon.panel.views import contacts_ledger, contacts_underway

Status = ContactImport.Status


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def import_new(request: access.Request) -> HttpResponse:
    form = FileForm(request.POST or None, request.FILES or None)
    if form.is_bound and form.is_valid():
        file, name = form.table()
        try:
            return _go_on(imports.start(request.account, file, name, request.user, ip=clients.address(request)))
        except SpreadsheetError as error:
            form.add_error("file" if form.cleaned_data["file"] else "cells", str(error))
    earlier = request.account.imports.exclude(status=Status.DISCARDED).order_by("-id")[:5]
    return render(request, "panel/imports/import_new.html", {"form": form, "earlier": earlier})


@require_GET
@access.member(Role.EDITOR)
def import_review(request: access.Request, pk: int) -> HttpResponse:
    """What it is at: read, reviewed, saved, taken back. `?statement=` shows a review's figures with that origin."""
    import_ = _of(request, pk)
    match import_.status:
        case Status.READING | Status.SAVING | Status.UNDOING:
            return render(request, "panel/imports/import_underway.html", contacts_underway.progress(import_))
        case Status.BROKEN:
            return _unreadable(request, import_, import_.problem)
        case Status.REVIEWING:
            statement = request.GET.get("statement", "")
            import_.statement = statement if statement in statements.ALL else ""
            return _review(request, import_, CommitForm(initial={"statement": import_.statement or None}))
        case _:
            return _done(request, import_)


@require_GET
@access.member(Role.EDITOR)
def import_progress(request: access.Request, pk: int) -> HttpResponse:
    """How far it is, every second; once it is over, the browser loads the page again."""
    import_ = _of(request, pk)
    if import_.status not in imports.UNDERWAY:
        return HttpResponseClientRefresh()
    return render(request, "panel/imports/progress.html", contacts_underway.progress(import_))


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def import_columns(request: access.Request, pk: int) -> HttpResponse:
    if request.method == "GET":  # the address of columns that were refused, from the browser's history
        return redirect("panel:import_review", _of(request, pk).pk)
    rows = request.account.imports.select_related("account").filter(status=Status.REVIEWING)
    import_ = access.get(rows, pk)
    form = ColumnsForm(import_, request.POST)
    if not form.is_valid():
        return render(request, "panel/imports/import_columns.html", {"import": import_, **_columns(form, import_)})
    return _act(request, import_, lambda: imports.change_columns(import_, form.mapping()))


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def import_commit(request: access.Request, pk: int) -> HttpResponse:
    import_ = _of(request, pk)
    if request.method == "GET":  # the address of a page that was refused, from the browser's history
        return redirect("panel:import_review", pk)
    if import_.status != Status.REVIEWING:
        return _act(request, import_, lambda: imports.commit(import_, request.user, ip=clients.address(request)))
    form = CommitForm(request.POST)
    import_.statement = request.POST.get("statement", "")
    if not form.is_valid():
        return _review(request, import_, form)
    form.apply(import_)
    return _act(request, import_, lambda: imports.commit(import_, request.user, ip=clients.address(request)))


@require_GET
@access.member(Role.EDITOR)
def import_rejects(request: access.Request, pk: int) -> HttpResponseBase:
    """The rows that stay out, each with its reason, as CSV."""
    import_ = _of(request, pk)
    try:
        rows = imports.rejects(import_)
    except (SpreadsheetError, imports.ImportProblem) as error:
        return _unreadable(request, import_, str(error))
    return FileResponse(
        rows, as_attachment=True, filename=f"{_('filas-fuera')}-{pk}.csv", content_type="text/csv; charset=utf-8"
    )


@require_GET
@access.member(Role.EDITOR)
def import_cells(request: access.Request, pk: int) -> HttpResponseBase:
    """The cells that are not saved as they stand, each with what becomes of it, as CSV."""
    import_ = _of(request, pk)
    try:
        rows = imports.remarks(import_)
    except imports.ImportProblem as error:
        messages.warning(request, str(error))
        return redirect("panel:import_review", pk)
    name = f"{_('celdas-con-aviso')}-{pk}.csv"
    return FileResponse(rows, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


@require_POST
@access.member(Role.EDITOR)
def import_discard(request: access.Request, pk: int) -> HttpResponse:
    """Forget the file, also while it is read."""
    try:
        imports.discard(_of(request, pk))
        messages.success(request, _("Descartamos el archivo. No se guardó nada de él."))
    except imports.AlreadyClosed as error:
        messages.warning(request, str(error))
    return redirect("panel:contacts")


@require_POST
@access.member(Role.EDITOR)
def import_stop(request: access.Request, pk: int) -> HttpResponse:
    """Stop while it is saved: what was saved is taken back."""
    import_ = _of(request, pk)
    return _act(request, import_, lambda: imports.stop(import_, request.user))


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def import_undo(request: access.Request, pk: int) -> HttpResponse:
    """Asks first: who goes, who stays, and which segments ask for what goes along."""
    import_ = _of(request, pk)
    if request.method == "POST":
        return _act(request, import_, lambda: imports.undo(import_, request.user))
    try:
        foretold = imports.foretell(import_)
    except imports.ImportProblem as problem:
        messages.warning(request, str(problem))
        return redirect("panel:import_review", pk)
    about = segments.about(request.account, [field.name for field in foretold.fields])
    context = {"import": import_, "foretold": foretold, "segments": about, "opted_out": import_.counts[Outcome.OPT_OUT]}
    return render(request, "panel/imports/import_undo.html", context)


def _of(request: access.Request, pk: int) -> ContactImport:
    rows = request.account.imports.select_related("account").exclude(status=Status.DISCARDED)
    return access.get(rows, pk)


def _go_on(import_: ContactImport) -> HttpResponse:
    imports.go_on(import_)
    return redirect("panel:import_review", import_.pk)


def _act(request: access.Request, import_: ContactImport, act: Callable[[], None]) -> HttpResponse:
    """Do it and what follows from it; a refusal becomes a note with its reason."""
    try:
        act()
    except imports.ImportProblem as problem:
        messages.warning(request, str(problem))
        return redirect("panel:import_review", import_.pk)
    return _go_on(import_)


def _review(request: access.Request, import_: ContactImport, form: CommitForm) -> HttpResponse:
    try:
        review = imports.review(import_)
    except imports.ImportProblem as error:
        context = {"import": import_, "problem": str(error), **_columns(ColumnsForm(import_), import_)}
        return render(request, "panel/imports/import_columns.html", context)
    context = {
        "import": import_,
        "form": form,
        "review": review,
        "examples": _examples(review),
        "grants": import_.statement != statements.NONE and import_.statement != statements.OPT_OUT,
        **contacts_ledger.account(review.counts),
        "remarks": _remarks(import_),
        **_columns(ColumnsForm(import_), import_),
    }
    return render(request, "panel/imports/import_review.html", context)


def _done(request: access.Request, import_: ContactImport) -> HttpResponse:
    """Saved, with the way back; or taken back."""
    context = {"import": import_, "remarks": _remarks(import_), **contacts_ledger.account(import_.counts)}
    if import_.status == Status.UNDONE:
        context["as_before"] = import_.taken_back - import_.stayed
        return render(request, "panel/imports/import_undone.html", context)
    context["may_not_undo"] = imports.may_not_undo(import_)
    return render(request, "panel/imports/import_done.html", context)


def _unreadable(request: access.Request, import_: ContactImport, problem: str) -> HttpResponse:
    """The head was a table, what follows is none."""
    return render(request, "panel/imports/import_unreadable.html", {"import": import_, "problem": problem}, status=422)


def _columns(form: ColumnsForm, import_: ContactImport) -> dict[str, Any]:
    """Each column with what it holds in the first rows."""
    shown = [
        {"field": form[f"column_{place}"], "sample": [row[place] for row in import_.sample if row[place]][:3]}
        for place in range(len(form.headers))
    ]
    return {"columns": shown, "columns_form": form}


def _remarks(import_: ContactImport) -> dict[str, Any]:
    """Cells that are not saved as they stand, by column, and the first ones; nothing for a list of opt-outs, of which none is."""
    counts = {} if import_.statement == statements.OPT_OUT else import_.remarks.get("counts", {})
    readings = fields.as_kept(import_)
    rows = [(import_remarks.label(import_, name), n, import_remarks.tell(name, readings)) for name, n in counts.items()]
    examples = [import_remarks.Remark(*parts) for parts in import_.remarks.get("examples", ())]
    return {
        "total": sum(counts.values()),
        "columns": rows,
        "examples": [(each, import_remarks.label(import_, each.field)) for each in examples],
    }


def _examples(review: Review) -> list[dict[str, Any]]:
    told = []
    for row in review.examples:
        why, then = import_reasons.tell(row)
        told.append({"row": row, "why": why, "then": then, "tone": contacts_ledger.TONES[row.outcome]})
    return told
