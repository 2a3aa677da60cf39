"""The first page after signing in."""

from django.http import HttpResponse
from django.shortcuts import render

from pregon.accounts import access


@access.member()
def home(request: access.Request) -> HttpResponse:
    return render(request, "panel/home.html")
