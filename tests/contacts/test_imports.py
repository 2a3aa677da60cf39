"""Files of contacts: judged, then saved; the figures always add up to the rows."""

import io
import json
from pathlib import Path

import pytest
from openpyxl import Workbook

from pregon.contacts import consent, imports, people, statements
from pregon.contacts.import_staging import Outcome
from pregon.contacts.models import Consent, ConsentEntry, ContactImport, Refusal, Source
from pregon.lib.spreadsheets import SpreadsheetError
from tests import make
from tests.contacts.test_consent import NOON

pytestmark = pytest.mark.django_db

CLIENTS = """\
Nombre;Celular;Permiso;Etiquetas;Sucursal
Mariana Torres;222 555 0117;sí;VIP, Centro;Centro
Ernesto Vázquez;+52 1 222 555 0163;no;;Norte
Rosa Quiroz;2225550184;;;
Mariana T.;5212225550117;sí;;
Ramiro Peña;222 555 01;sí;;
;222 555;sí;;
;12345678901234;sí;;
Iván Castañeda;222 555 0129;sí;;
Jorge Salas;222 555 0133;baja;;
Paola Ríos;222 555 0190;sí;Centro;
Tomás Aguilar;222 555 0175;sí;;
"""


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def begin(account, content, name="clientes.csv", **fields):
    data = content.encode() if isinstance(content, str) else content
    import_ = imports.start(account, io.BytesIO(data), name, make.user())
    imports.finish(import_)
    for field, value in fields.items():
        setattr(import_, field, value)
    return import_


def bring(account, content, statement="store", **fields):
    return save(begin(account, content, statement=statement, **fields))


def save(import_, actor=None):
    imports.commit(import_, actor or make.user())
    imports.finish(import_)
    return imports.review(import_)


def base(account):
    """What a file might change: everything but the times of writing."""
    contacts = account.contacts.order_by("id").values(
        "name", "mobile", "mobile_raw", "email", "fields", "consent", "consent_at"
    )
    links = account.contacts.order_by("id", "tags__name").values_list("id", "tags__name")
    return list(contacts), list(links), ConsentEntry.objects.count(), Refusal.objects.count()


def left_out(import_):
    with imports.rejects(import_) as file:
        return file.read()


def some(review):
    assert review.saved + review.left_out == review.rows == sum(review.counts[outcome] for outcome in Outcome.values)
    return {outcome: n for outcome, n in review.counts.items() if n}


@pytest.fixture
def shop():
    """Iván has withdrawn, Paola and Tomás are there already."""
    account = make.account()
    ivan = people.add(account, people.Details(name="Iván", mobile="222 555 0129"))
    consent.record(ivan, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON)
    people.add(account, people.Details(name="Paola Ríos", mobile="222 555 0190"))
    tomas = people.add(account, people.Details(name="Tomás Aguilar", mobile="222 555 0175"))
    consent.record(tomas, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
    return account


class TestReview:
    def test_every_row_has_one_outcome(self, shop):
        before = base(shop)
        review = imports.review(begin(shop, CLIENTS))
        assert some(review) == {
            "new": 1, "updated": 1, "no_consent": 2, "to_fix": 1, "opt_out": 1,
            "duplicate": 1, "unchanged": 1, "incomplete": 1, "invalid": 1, "withdrawn": 1, "grants": 2,
        }  # fmt: skip
        assert (review.saved, review.left_out, review.rows) == (6, 5, 11)
        assert [row.line for row in review.examples] == [5, 7, 8, 9, 12]
        assert base(shop) == before

    def test_without_permission_nobody_gets_any(self, shop):
        review = imports.review(begin(shop, CLIENTS, statement=statements.NONE))
        counts = some(review)
        assert (counts["no_consent"], counts["unchanged"], "grants" in counts) == (4, 1, False)

    def test_a_list_of_opt_outs(self, shop):
        counts = some(imports.review(begin(shop, CLIENTS, statement=statements.OPT_OUT)))
        assert counts == {"opt_out": 6, "duplicate": 1, "incomplete": 2, "invalid": 1, "withdrawn": 1}

    def test_without_a_column_of_numbers_it_asks_for_it(self):
        with pytest.raises(imports.ImportProblem, match="en qué columna"):
            imports.review(begin(make.account(), "Nombre,Ciudad\nAna,Puebla\n"))

    def test_a_column_that_is_no_tag_is_refused(self):
        rows = "".join(f"222{n:07d},cosa {n}\n" for n in range(300))
        with pytest.raises(imports.ImportProblem, match="más de 200"):
            imports.review(begin(make.account(), "celular,etiqueta\n" + rows))


class TestCommit:
    def test_people_permission_tags_and_fields(self, shop):
        review = bring(shop, CLIENTS, wording="Quiero promociones", tag="Noviembre")
        found = {contact.search: contact for contact in shop.contacts.all()}
        mariana = found["mariana torres"]
        assert (mariana.mobile, mariana.consent) == ("+522225550117", Consent.GRANTED)
        assert mariana.fields == {"sucursal": "Centro"}
        assert {tag.name for tag in mariana.tags.all()} == {"VIP", "Centro", "Noviembre"}
        assert found["ernesto vazquez"].consent == Consent.UNKNOWN
        assert (found["ramiro pena"].mobile, found["ramiro pena"].mobile_problem) == (None, "incomplete")
        assert {tag.name for tag in found["paola rios"].tags.all()} == {"Centro", "Noviembre"}
        assert found["paola rios"].consent == Consent.GRANTED
        assert "jorge salas" not in found
        assert Refusal.objects.filter(mobile_hash=consent.hash_of("+522225550133")).exists()
        assert shop.contacts.count() == 7
        assert review.counts["grants"] == 2

    def test_each_grant_has_its_evidence(self, shop):
        import_ = begin(shop, CLIENTS, statement="store", wording="Quiero promociones")
        actor = make.user()
        save(import_, actor)
        entry = ConsentEntry.objects.get(contact__name="Mariana Torres")
        assert (entry.act, entry.source, entry.actor, entry.revives) == ("granted", "import", actor, False)
        assert entry.text == "Quiero promociones"
        assert entry.evidence == {"file": "clientes.csv", "statement": "store"}
        assert (entry.import_file, entry.row_no) == (import_, 2)
        assert entry.mobile_hash == consent.hash_of("+522225550117")
        assert entry.happened_at == entry.contact.consent_at

    def test_without_a_statement_nothing_is_granted(self, shop):
        bring(shop, CLIENTS, statement="")
        assert not ConsentEntry.objects.filter(source=Source.IMPORT, act="granted").exists()
        assert set(shop.contacts.values_list("consent", flat=True)) == {"unknown", "withdrawn", "granted"}

    def test_without_a_column_the_statement_is_for_all(self):
        account = make.account()
        bring(account, "celular\n2225550117\n2225550118\n")
        assert account.contacts.filter(consent=Consent.GRANTED).count() == 2

    @pytest.mark.parametrize("statement", ["store", "none"])
    def test_the_same_file_again_changes_nothing(self, shop, statement):
        bring(shop, CLIENTS, statement, tag="Noviembre")
        before = base(shop)
        counts = some(bring(shop, CLIENTS, statement, tag="Noviembre"))
        assert base(shop) == before
        assert set(counts) <= {"duplicate", "unchanged", "incomplete", "invalid", "withdrawn"}

    def test_nobody_who_withdrew_comes_back(self, shop):
        consent.withdraw_number(shop, "+522225550117", source=Source.REPLY, happened_at=NOON)
        bring(shop, CLIENTS)
        assert shop.contacts.get(search="ivan").consent == Consent.WITHDRAWN
        assert not shop.contacts.filter(mobile="+522225550117").exists()
        people.delete(shop, shop.contacts.values_list("id", flat=True), actor=make.user())
        bring(shop, CLIENTS)
        assert not shop.contacts.filter(mobile="+522225550129").exists()

    def test_a_list_of_opt_outs_withdraws(self, shop):
        bring(shop, CLIENTS)
        bring(shop, CLIENTS, statements.OPT_OUT)
        with_number = shop.contacts.exclude(mobile=None)
        assert set(with_number.values_list("consent", flat=True)) == {"withdrawn"}
        before = base(shop)
        bring(shop, CLIENTS, statements.OPT_OUT)
        assert base(shop) == before
        bring(shop, CLIENTS)
        assert base(shop) == before

    def test_a_no_anywhere_in_the_file_counts(self):
        account = make.account()
        bring(account, "nombre,celular,permiso\nAna,2225550117,sí\nAna,2225550117,BAJA\n")
        assert not account.contacts.exists()
        assert Refusal.objects.count() == 1

    @pytest.mark.parametrize("said", ["De baja", "dada de baja", "Unsubscribed", "opt-out", "Desuscrito", "Withdrawn"])
    @pytest.mark.parametrize("column", ["permiso", "baja"])
    def test_a_withdrawal_in_other_words_is_a_no(self, column, said):
        account = make.account()
        bring(account, "nombre,celular\nAna,2225550117\n")
        bring(account, f"nombre,celular,{column}\nAna,2225550117,{said}\n")
        assert account.contacts.get().consent == Consent.WITHDRAWN

    @pytest.mark.parametrize(
        ("said", "is_now"), [("pidió que no", "unknown"), ("45123", "unknown"), ("no", "granted"), ("-", "granted")]
    )
    def test_unclear_words_in_the_column_of_withdrawals_grant_nothing(self, said, is_now):
        account = make.account()
        bring(account, f"nombre,celular,baja\nAna,2225550117,{said}\n")
        assert account.contacts.get().consent == is_now

    def test_a_no_for_somebody_with_permission_takes_nothing_and_is_told(self):
        """The list may be older than their yes."""
        account = make.account()
        bring(account, "nombre,celular\nAna,2225550117\nEva,2225550118\n")
        rows = "Ana,2225550117,no\nEva,2225550118,\nLuz,2225550119,no\nAna,2225550117,sí\n"
        import_ = begin(account, f"nombre,celular,permiso\n{rows}", statement="store")
        assert imports.review(import_).keep == 1
        import_.statement = statements.OPT_OUT
        assert imports.review(import_).keep == 0
        bring(account, f"nombre,celular,permiso\n{rows}")
        said = dict(account.contacts.values_list("name", "consent"))
        assert said == {"Ana": Consent.GRANTED, "Eva": Consent.GRANTED, "Luz": Consent.UNKNOWN}

    def test_twice_by_two_people(self, shop):
        import_ = begin(shop, CLIENTS, statement="store")
        imports.commit(import_, make.user())
        with pytest.raises(imports.AlreadyClosed):
            imports.commit(import_, make.user())
        with pytest.raises(imports.AlreadyClosed):
            imports.discard(import_)

    def test_tags_differ_only_by_more_than_case(self):
        account = make.account()
        make.tag(account, "Centro")
        bring(account, "nombre,celular,etiqueta\nAna,2225550117,CENTRO\nEva,2225550118,centró\n")
        assert [(tag.name, tag.contacts.count()) for tag in account.tags.all()] == [("Centro", 2)]

    def test_other_accounts_are_not_touched(self, shop):
        other = make.account("Otra")
        bring(other, CLIENTS)
        before = base(other)[:2]
        bring(shop, CLIENTS.replace("Mariana", "Marta"))
        assert base(other)[:2] == before

    def test_a_blank_cell_erases_nothing(self):
        account = make.account()
        bring(account, "nombre,celular,correo,Ciudad\nAna Ruiz,2225550117,ana@example.com,Puebla\n")
        counts = some(bring(account, "nombre,celular,correo,Ciudad\n,2225550117,,\n"))
        assert counts == {"unchanged": 1}
        assert account.contacts.get().fields == {"ciudad": "Puebla"}

    def test_an_earlier_yes_of_the_person_counts_for_a_newcomer(self):
        account = make.account()
        consent.grant_number(account, "+522225550117", source=Source.REPLY, happened_at=NOON)
        bring(account, "nombre,celular\nAna,2225550117\n", statements.NONE)
        assert account.contacts.get().consent == Consent.GRANTED


class TestRejects:
    def test_each_row_with_its_reason_before_and_after(self, shop):
        import_ = begin(shop, CLIENTS, statement="store")
        before = left_out(import_)
        save(import_)
        assert left_out(import_) == before
        lines = before.decode("utf-8-sig").splitlines()
        assert len(lines) == 1 + 5
        assert lines[1] == "5,Mariana T.,5212225550117,Repetida.,Es la misma persona de la fila 2."
        assert "De baja el 4 mar 2026." in lines[4]

    def test_formulas_run_nowhere(self):
        account = make.account()
        import_ = begin(account, 'nombre,celular\n=HYPERLINK("x"),12\n@SUM(A1),2225550117\n@SUM(A1),2225550117\n')
        written = left_out(import_).decode()
        assert "'@SUM(A1)" in written
        assert not [line for line in written.splitlines() if line.startswith(("=", "@"))]


class TestFiles:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
    @pytest.mark.parametrize("delimiter", [";", ",", "\t"])
    def test_any_common_csv(self, shop, encoding, delimiter):
        content = CLIENTS.replace("VIP, Centro", "VIP|Centro").replace(";", delimiter).encode(encoding)
        assert some(imports.review(begin(shop, content)))["new"] == 1

    def test_a_workbook_with_numbers_as_figures(self):
        account = make.account()
        book = Workbook()
        for row in [("Nombre", "Celular"), ("Ana", 2225550117), ("Eva", 2225550118.0), ("Lía", "=1+1")]:
            book.active.append(row)
        file = io.BytesIO()
        book.save(file)
        counts = some(bring(account, file.getvalue(), name="clientes.xlsx"))
        assert counts == {"new": 2, "to_fix": 1, "grants": 2}

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\n\n",
            b"%PDF-1.7 nada",
            b"\x89PNG\r\n\x1a\n....",
            b"PK\x03\x04 roto",
            (b"a," * 300 + b"\n") * 2,
            b"x" * 50_000_000,
        ],
        ids=["empty", "blank", "pdf", "image", "broken", "columns", "50MB"],
    )
    def test_what_is_no_table_says_so(self, content):
        with pytest.raises(SpreadsheetError, match=r"\w+ \w+"):
            begin(make.account(), content)
        assert not ContactImport.objects.exists()

    def test_two_hundred_columns(self):
        account = make.account()
        head = ",".join(["nombre", "celular", *(f"dato {n}" for n in range(198))])
        import_ = begin(account, f"{head}\nAna,2225550117{',x' * 198}\n")
        assert import_.mapping["fields"] == {}
        assert some(imports.review(import_)) == {"new": 1, "grants": 1}

    def test_nul_bytes_and_control_characters(self):
        account = make.account()
        bring(account, b"nombre,celular\nAn\x00a\x07 Ruiz,222\x005550117\n")
        contact = account.contacts.get()
        assert "\x00" not in contact.name + json.dumps(contact.fields)
        assert contact.mobile == "+522225550117"

    def test_discarded_files_are_gone(self):
        import_ = begin(make.account(), CLIENTS)
        path = Path(import_.file.path)
        imports.discard(import_)
        assert not path.exists()
