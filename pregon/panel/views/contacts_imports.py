"""A file of contacts on its way in: upload, columns and review on one page, then what was saved."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import import_reasons, imports, statements
from pregon.contacts.imports import Review
from pregon.contacts.models import ContactImport
from pregon.lib.spreadsheets import SpreadsheetError
from pregon.panel.forms.contacts_imports import ColumnsForm, CommitForm, FileForm
from pregon.panel.views import contacts_ledger

UNREADABLE = (SpreadsheetError, imports.ImportProblem)


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def import_new(request: access.Request) -> HttpResponse:
    form = FileForm(request.POST or None, request.FILES or None)
    if form.is_bound and form.is_valid():
        file, name = form.table()
        try:
            return redirect("panel:import_review", imports.start(request.account, file, name, request.user).pk)
        except SpreadsheetError as error:
            form.add_error("file" if form.cleaned_data["file"] else "cells", str(error))
    earlier = request.account.imports.exclude(status=ContactImport.Status.DISCARDED).order_by("-id")[:5]
    return render(request, "panel/imports/import_new.html", {"form": form, "earlier": earlier})


@require_GET
@access.member(Role.EDITOR)
def import_review(request: access.Request, pk: int) -> HttpResponse:
    """What will become of each row; once committed, what became of it. `?statement=` shows the figures with that origin."""
    import_ = _of(request, pk)
    if import_.status == ContactImport.Status.COMMITTED:
        context = {"import": import_, **contacts_ledger.account(import_.counts)}
        return render(request, "panel/imports/import_done.html", context)
    statement = request.GET.get("statement", "")
    import_.statement = statement if statement in statements.ALL else ""
    form = CommitForm(initial={"statement": import_.statement or None})
    return _review(request, import_, form)


@require_POST
@access.member(Role.EDITOR)
def import_columns(request: access.Request, pk: int) -> HttpResponse:
    import_ = access.get(request.account.imports.filter(status=ContactImport.Status.REVIEWING), pk)
    try:
        with imports.opened(import_) as table:
            headers, sample = table.headers, table.sample
    except SpreadsheetError as error:
        return _unreadable(request, import_, str(error))
    form = ColumnsForm(headers, import_.mapping, request.POST)
    if form.is_valid():
        import_.mapping = form.mapping()
        import_.save(update_fields=["mapping"])
        return redirect("panel:import_review", pk)
    return render(request, "panel/imports/import_columns.html", {"import": import_, **_columns(form, sample)})


@require_POST
@access.member(Role.EDITOR)
def import_commit(request: access.Request, pk: int) -> HttpResponse:
    import_ = _of(request, pk)
    form = CommitForm(request.POST)
    import_.statement = request.POST.get("statement", "")
    if not form.is_valid():
        return _review(request, import_, form)
    form.apply(import_)
    try:
        imports.commit(import_, request.user)
    except imports.AlreadyClosed as error:
        messages.warning(request, str(error))
    except UNREADABLE as error:
        return _unreadable(request, import_, str(error))
    return redirect("panel:import_review", pk)


@require_GET
@access.member(Role.EDITOR)
def import_rejects(request: access.Request, pk: int) -> HttpResponseBase:
    """The rows that stay out, each with its reason, as CSV."""
    import_ = _of(request, pk)
    try:
        rows = imports.rejects(import_)
    except UNREADABLE as error:
        return _unreadable(request, import_, str(error))
    return FileResponse(
        rows, as_attachment=True, filename=f"{_('filas-fuera')}-{pk}.csv", content_type="text/csv; charset=utf-8"
    )


@require_POST
@access.member(Role.EDITOR)
def import_discard(request: access.Request, pk: int) -> HttpResponse:
    try:
        imports.discard(_of(request, pk))
        messages.success(request, _("Descartamos el archivo. No se guardó nada de él."))
    except imports.AlreadyClosed as error:
        messages.warning(request, str(error))
    return redirect("panel:contacts")


def _of(request: access.Request, pk: int) -> ContactImport:
    rows = request.account.imports.select_related("account").exclude(status=ContactImport.Status.DISCARDED)
    return access.get(rows, pk)


def _review(request: access.Request, import_: ContactImport, form: CommitForm) -> HttpResponse:
    try:
        review = imports.review(import_)
    except SpreadsheetError as error:
        return _unreadable(request, import_, str(error))
    except imports.ImportProblem as error:
        return _ask_columns(request, import_, str(error))
    context = {
        "import": import_,
        "form": form,
        "review": review,
        "examples": _examples(review),
        "withdraws": import_.statement == statements.OPT_OUT,
        "grants": import_.statement != statements.NONE and import_.statement != statements.OPT_OUT,
        **contacts_ledger.account(review.counts),
        **_columns(ColumnsForm(review.headers, import_.mapping), review.sample),
    }
    return render(request, "panel/imports/import_review.html", context)


def _ask_columns(request: access.Request, import_: ContactImport, problem: str) -> HttpResponse:
    with imports.opened(import_) as table:
        form = ColumnsForm(table.headers, import_.mapping)
        context = {"import": import_, "problem": problem, **_columns(form, table.sample)}
        return render(request, "panel/imports/import_columns.html", context)


def _unreadable(request: access.Request, import_: ContactImport, problem: str) -> HttpResponse:
    """The head was a table, what follows is none."""
    return render(request, "panel/imports/import_unreadable.html", {"import": import_, "problem": problem}, status=422)


def _columns(form: ColumnsForm, sample: list[list[str]]) -> dict[str, Any]:
    """Each column with what it holds in the first rows."""
    shown = [
        {"field": form[f"column_{place}"], "sample": [row[place] for row in sample if row[place]][:3]}
        for place in range(len(form.headers))
    ]
    return {"columns": shown, "columns_form": form}


def _examples(review: Review) -> list[dict[str, Any]]:
    told = []
    for row in review.examples:
        why, then = import_reasons.tell(row)
        told.append({"row": row, "why": why, "then": then, "tone": contacts_ledger.TONES[row.outcome]})
    return told
