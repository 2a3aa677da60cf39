"""What changed on people is written down with who did it: by hand, by a file, by taking the file back."""

from typing import Any

import pytest

from pregon.accounts.models import Account
from pregon.contacts import changes, imports, people
from pregon.contacts.models import Change, Contact
from tests import make
from tests.contacts.test_imports import begin, bring, save

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def rosa() -> Contact:
    details = people.Details("Rosa", "222 555 0184", tags=["VIP"], fields={"zona": "Norte"})
    return people.add(make.account(), details, actor=make.user())


def noted(person: Contact) -> list[tuple[str, dict[str, Any]]]:
    """Since they came, the oldest first."""
    return list(person.changes.exclude(changed={}).order_by("at", "id").values_list("source", "changed"))


def test_whoever_adds_someone_is_noted(rosa: Contact) -> None:
    came = rosa.changes.get()
    assert (came.source, came.at, came.changed) == (Change.Source.PANEL, rosa.created_at, {})
    assert came.actor is not None


def test_an_edit(rosa: Contact) -> None:
    actor = make.user()
    details = people.Details("Rosa Elena", "222 555 0199", "r@example.com", ["VIP", "Centro"], {"zona": ""})
    people.edit(rosa, details, actor=actor)
    assert noted(rosa) == [
        (
            "panel",
            {
                "name": ["Rosa", "Rosa Elena"],
                "mobile": ["+522225550184", "+522225550199"],
                "email": ["", "r@example.com"],
                "tags": [["VIP"], ["Centro", "VIP"]],
                "own:zona": ["Norte", ""],
            },
        )
    ]
    assert rosa.changes.latest("id").actor == actor


def test_an_edit_of_nothing_is_none(rosa: Contact) -> None:
    people.edit(rosa, people.Details("Rosa", "222 555 0184", tags=["VIP"]), actor=make.user())
    assert noted(rosa) == []


FILE = "Nombre;Celular;Correo;Etiquetas;Zona;Talla\nRosa Elena;2225550184;r@example.com;VIP, Centro;Norte;M\nIván;2225550185;;;;\n"
DIFFERENCE = {
    "name": ["Rosa", "Rosa Elena"],
    "email": ["", "r@example.com"],
    "own:talla": ["", "M"],
    "tags": [[], ["Centro"]],
}


def test_a_file_tells_what_it_changed_and_nothing_of_whom_it_brought(rosa: Contact) -> None:
    bring(rosa.account, FILE)
    assert noted(rosa) == [("import", DIFFERENCE)]
    assert not Change.objects.filter(contact__name="Iván").exists()


def test_a_file_that_only_brings_a_permission_changes_no_data(rosa: Contact) -> None:
    bring(rosa.account, "Nombre;Celular\nRosa;2225550184\n")
    rosa.refresh_from_db()
    assert (noted(rosa), rosa.consent) == ([], "granted")


def test_taking_it_back_tells_it_the_other_way(rosa: Contact) -> None:
    import_, actor = begin(rosa.account, FILE, statement="store"), make.user()
    save(import_)
    undo(import_, actor)
    back = {name: pair[::-1] for name, pair in DIFFERENCE.items()}
    assert noted(rosa) == [("import", DIFFERENCE), ("undo", back)]
    assert rosa.changes.latest("id").actor == actor


def test_who_was_touched_since_keeps_what_the_file_changed(rosa: Contact) -> None:
    import_ = begin(rosa.account, FILE, statement="store")
    save(import_)
    rosa.refresh_from_db()
    people.edit(rosa, people.Details("Rosita", "222 555 0184"), actor=make.user())
    undo(import_, make.user())
    assert [source for source, _changed in noted(rosa)] == ["import", "panel"]


def test_they_go_with_the_person(rosa: Contact) -> None:
    account: Account = rosa.account
    bring(account, FILE)
    people.delete(account, list(account.contacts.values_list("id", flat=True)), actor=make.user())
    assert not Change.objects.exists()


def test_what_is_newer_is_known(rosa: Contact) -> None:
    before = rosa.created_at
    people.edit(rosa, people.Details("Rosa Elena", "222 555 0184"), actor=make.user())
    assert changes.known_since(rosa, "name", before)
    assert not changes.known_since(rosa, "mobile", before)


def undo(import_: Any, actor: Any) -> None:
    imports.undo(import_, actor)
    imports.finish(import_)
