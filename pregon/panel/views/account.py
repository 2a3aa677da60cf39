"""Which of one's businesses the panel shows."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from pregon.accounts import access


@require_POST
@access.member()
def switch(request: access.Request) -> HttpResponse:
    """POST `account`: one of this person's own, else 404."""
    pk = request.POST.get("account", "")
    access.choose(request, int(pk) if pk.isdecimal() and len(pk) < 19 else 0)
    return redirect("panel:home")
