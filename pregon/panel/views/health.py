"""Is this installation ready to serve?"""

from django.db import connection
from django.http import HttpRequest, HttpResponse

from pregon.accounts import access


@access.public
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the database answers. `pregon run` starts the panel last, when all the others are ready."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")
