"""The test database, for the processes that tests start."""

from urllib.parse import quote

from django.db import connection


def url() -> str:
    """Its DATABASE_URL."""
    where = connection.get_connection_params()
    user, password = quote(str(where.get("user", ""))), quote(str(where.get("password") or ""))
    host, port = quote(str(where.get("host", "")), safe=""), where.get("port") or ""
    return f"postgresql://{user}:{password}@/{where['dbname']}?host={host}" + (f"&port={port}" if port else "")
