"""Contacts go, with what refers to them."""

from django.db import connection
from django.db.models import SET_NULL, ManyToOneRel

from pregon.contacts.models import Contact


def delete(contacts: list[int]) -> None:
    """Locked contacts (ids). As Django would, without making an object of every row that refers to them."""
    with connection.cursor() as cursor:
        for relation in Contact._meta.get_fields(include_hidden=True):
            if isinstance(relation, ManyToOneRel):
                table, column = relation.field.model._meta.db_table, relation.field.column
                act = (
                    f"UPDATE {table} SET {column} = NULL" if relation.on_delete is SET_NULL else f"DELETE FROM {table}"
                )
                cursor.execute(f"{act} WHERE {column} = ANY(%s)", [contacts])
        cursor.execute("DELETE FROM contacts_contact WHERE id = ANY(%s)", [contacts])
