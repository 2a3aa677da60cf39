"""The panel as a WSGI application (granian runs it)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pregon.settings")
application = get_wsgi_application()
