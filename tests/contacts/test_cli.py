"""`pregon import`."""

import pytest
from click.testing import CliRunner

from pregon.contacts.cli import import_contacts
from pregon.contacts.models import Consent, ContactImport
from tests import make
from tests.contacts.test_imports import CLIENTS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "clientes.csv"
    path.write_text(CLIENTS)
    return path


@pytest.fixture
def owner():
    return make.member(make.account())


def run(*arguments):
    return CliRunner().invoke(import_contacts, [str(argument) for argument in arguments])


def test_saved_with_permission(owner, file):
    done = run(file, "--account", owner.user.email.upper(), "--permission", "store", "--tag", "Feria")
    assert done.exit_code == 0, done.output
    assert "8 + 3 = 11 filas" in done.output
    assert "Fila 5: Repetida. Es la misma persona de la fila 2." in done.output
    assert owner.account.contacts.filter(consent=Consent.GRANTED, tags__name="Feria").count() == 4


def test_a_dry_run_saves_nothing(owner, file):
    done = run(file, "--account", owner.account_id, "--dry-run")
    assert "Se guardaría:" in done.output
    assert not owner.account.contacts.exists()
    assert ContactImport.objects.get().status == ContactImport.Status.DISCARDED


def test_without_permission_nobody_receives(owner, file):
    run(file, "--account", owner.account_id)
    assert not owner.account.contacts.filter(consent=Consent.GRANTED).exists()


def test_what_is_wrong_is_one_sentence(owner, file, tmp_path):
    assert "No hay un negocio" in run(file, "--account", "nadie@example.com").output
    make.member(make.account("Otra"), user=owner.user)
    assert "varios negocios" in run(file, "--account", owner.user.email).output
    picture = tmp_path / "foto.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    done = run(picture, "--account", owner.account_id)
    assert (done.exit_code, "no es una tabla" in done.output, "Traceback" in done.output) == (1, True, False)


def test_dates_are_asked_for_and_cells_told(owner, tmp_path):
    path = tmp_path / "fechas.csv"
    path.write_text("nombre,celular,cumpleaños,correo\nAna,2225550117,03/04/1990,ana@x\n")
    assert "primero el día o el mes" in run(path, "--account", owner.account_id).output
    done = run(path, "--account", owner.account_id, "--dates", "month_first")
    assert "correo: 1 × No es un correo: queda vacío." in done.output
    assert owner.account.contacts.get().fields == {"cumpleaños": "1990-03-04"}
