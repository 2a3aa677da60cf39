"""Whom a broadcast is meant for."""

import pytest
from django.db import connection

from pregon.promotions import audiences
from pregon.promotions.audiences import Definition, Kind
from tests import make

pytestmark = pytest.mark.django_db


def chosen(account, definition):
    """Ids by SQL, which must be those of the ORM."""
    sql, params = audiences.select(account, definition)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM ({sql}) AS rows", params)
        ids = {pk for (pk,) in cursor.fetchall()}
    assert ids == set(audiences.people(account, definition).values_list("id", flat=True))
    assert audiences.count(account, definition) == len(ids)
    return ids


def described(account, definition):
    return audiences.describe(definition, audiences.tag_names(account))


def test_all_tags_and_chosen_people():
    account = make.account()
    ana, luis, eva = (make.contact(account, name) for name in ("Ana", "Luis", "Eva"))
    centre, north = make.tag(account, "Centro", ana, luis), make.tag(account, "Norte", luis)

    assert chosen(account, Definition()) == {ana.pk, luis.pk, eva.pk}
    assert chosen(account, audiences.define("tags", [centre.pk])) == {ana.pk, luis.pk}
    assert chosen(account, audiences.define("tags", [centre.pk, north.pk])) == {ana.pk, luis.pk}, "each person once"
    assert chosen(account, audiences.define("contacts", [eva.pk])) == {eva.pk}
    assert chosen(account, audiences.define("tags", [])) == set()


def test_ids_of_others_choose_nobody():
    account, other = make.account(), make.account("Otra tienda")
    stranger = make.contact(other)
    theirs = make.tag(other, "Suyos", stranger)
    make.contact(account)

    assert chosen(account, audiences.define("contacts", [stranger.pk])) == set()
    assert chosen(account, audiences.define("tags", [theirs.pk])) == set()
    assert described(account, audiences.define("tags", [theirs.pk])) == "Una etiqueta que ya no existe"


def test_descriptions_for_people():
    account = make.account()
    centre, north = make.tag(account, "Centro"), make.tag(account, "Norte")

    assert described(account, Definition()) == "Todos tus contactos"
    assert described(account, audiences.define("tags", [centre.pk])) == "Etiqueta Centro"
    assert described(account, audiences.define("tags", [north.pk, centre.pk])) == "Etiquetas Centro, Norte"
    assert described(account, audiences.define("contacts", [1, 2, 2])) == "2 contactos elegidos"


def test_definitions_keep_their_meaning_in_json():
    for definition in (Definition(), Definition(Kind.TAGS, (1, 3)), Definition(Kind.CONTACTS, (5,))):
        assert audiences.read(audiences.write(definition)) == definition
    assert audiences.read({}) == Definition()
    with pytest.raises(ValueError, match="nadie"):
        audiences.define("nadie")
