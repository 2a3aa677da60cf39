"""Files of people, on their way into a base and out of it again."""

import io

from django.db import connection

from pregon.contacts import imports
from tests import make


def sheet(rows, name="Ana"):
    return "nombre,celular,etiqueta\n" + "".join(f"{name} {n},222555{n:04d},Centro\n" for n in range(rows))


def begin(account, content, statement="store"):
    import_ = imports.start(account, io.BytesIO(content.encode()), "clientes.csv", make.user())
    if len(content) <= 500_000:
        imports.finish(import_)
    import_.statement = statement
    return import_


def bring(account, content, statement="store"):
    import_ = begin(account, content, statement)
    imports.finish(import_)
    import_.statement = statement
    imports.commit(import_, make.user())
    imports.finish(import_)
    return import_


def take_back(import_):
    imports.undo(import_, make.user())
    imports.finish(import_)
    return import_


def versions(*tables):
    """What changes with any row that is written: its place and the transaction that wrote it."""
    with connection.cursor() as cursor:
        found = []
        for table in tables:
            cursor.execute(f"SELECT xmin::text, ctid::text, * FROM {table} ORDER BY 1, 2")
            found.append(cursor.fetchall())
    return found
