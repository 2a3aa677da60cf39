"""Cases below the pages: who waits for whom, floods, files, letters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from pregon.support import attachments, cases, keys
from pregon.support.models import Attachment, Case
from tests import make
from tests.support import letters

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


def report(**fields: object) -> cases.Report:
    return cases.Report(**{"module": "contacts", "email": "ana@example.com", "detail": "No reconoce mi Excel"} | fields)


def upload(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


class TestThread:
    def test_a_case_waits_for_the_provider_then_for_the_person_and_so_on(self) -> None:
        member = make.member(make.account())
        case = cases.open_case(report(), cases.Sender(member.user, member.account))
        assert case.status == Case.Status.OPEN
        cases.answer(case, "¿Nos la mandas?", author=make.user(is_staff=True))
        assert Case.objects.get().status == Case.Status.ANSWERED
        cases.reply(case, "Va adjunta.", author=member.user)
        assert Case.objects.get().status == Case.Status.OPEN
        cases.close(case)
        assert Case.objects.get().status == Case.Status.CLOSED
        cases.reply(case, "Volvió a pasar.", author=member.user)
        assert Case.objects.get().status == Case.Status.OPEN
        assert [reply.by_staff for reply in case.replies.all()] == [True, False, False]

    def test_it_is_called_by_its_first_line(self) -> None:
        assert Case(detail="\n  No abre  \nDesde ayer").subject == "No abre"
        assert Case(detail="x" * 200).subject == "x" * 89 + "…"

    def test_a_key_opens_its_case_and_no_other_text_does(self) -> None:
        case = cases.open_case(report(), cases.Sender())
        assert keys.read(keys.write(case)) == case
        for wrong in ("", "1", f"{case.pk}", keys.write(case)[:-1], keys.write(case) + "x"):
            assert keys.read(wrong) is None


class TestLetters:
    def test_the_person_gets_the_number_then_the_answer(self, mailoutbox: list[EmailMessage]) -> None:
        member = make.member(make.account())
        case = cases.open_case(report(detail="Dice «<error>»"), cases.Sender(member.user, member.account))
        cases.answer(case, "Ya lo <b>corregimos</b>.", author=make.user())
        assert letters.write() == 3
        first, second = mailoutbox
        assert first.to == second.to == ["ana@example.com"]
        assert first.subject == f"Caso {case.pk}: lo recibimos"
        assert "Dice «<error>»" in first.body  # plain text: nothing is escaped
        assert f"/casos/{case.pk}/" in first.body
        assert second.subject == f"Caso {case.pk}: te respondimos"
        assert "Ya lo <b>corregimos</b>." in second.body

    def test_who_has_no_business_gets_a_signed_address(self, mailoutbox: list[EmailMessage]) -> None:
        case = cases.open_case(report(), cases.Sender(address="10.0.0.1"))
        letters.write()
        assert f"/casos/ver/{keys.write(case)}/" in mailoutbox[0].body

    def test_a_reply_of_the_person_writes_no_letter(self) -> None:
        case = cases.open_case(report(), cases.Sender())
        cases.reply(case, "Otra cosa.", author=None)
        assert letters.write() == 2  # of the case itself: to the person, and to the provider

    def test_a_case_that_is_gone_is_no_trouble(self, mailoutbox: list[EmailMessage]) -> None:
        make.user(is_staff=True)
        cases.open_case(report(), cases.Sender()).delete()
        assert letters.write() == 2 and not mailoutbox

    def test_the_provider_gets_one_for_each_new_case(self, mailoutbox: list[EmailMessage]) -> None:
        team = [make.user("soporte@example.com", is_staff=True), make.user("turno@example.com", is_staff=True)]
        make.user("se-fue@example.com", is_staff=True, is_active=False)
        member = make.member(make.account("Tacos <El Güero>"))
        case = cases.open_case(report(detail="Uno\r\nBcc: dos"), cases.Sender(member.user, member.account))
        cases.answer(case, "Ya está.", author=team[0])
        cases.reply(case, "Todavía no.", author=member.user)
        letters.write()
        [told] = [mail for mail in mailoutbox if "soporte@example.com" in mail.to]
        assert told.to == ["soporte@example.com", "turno@example.com"]
        assert told.subject == f"Caso {case.pk}: Contactos"
        assert "Tacos <El Güero> (ana@example.com) reporta un problema:" in told.body
        assert "Bcc: dos" in told.body and reverse("staff:case", args=[case.pk]) in told.body

    def test_of_a_stranger_the_provider_sees_the_address_alone(self, mailoutbox: list[EmailMessage]) -> None:
        make.user("soporte@example.com", is_staff=True)
        cases.open_case(report(), cases.Sender(address="10.0.0.1"))
        letters.write()
        assert mailoutbox[1].body.startswith("ana@example.com reporta un problema:")


class TestFloods:
    def test_strangers_are_counted_by_address_and_by_email(self) -> None:
        for n in range(cases.STRANGERS):
            cases.open_case(report(email=f"a{n}@example.com"), cases.Sender(address="10.0.0.1"))
        with pytest.raises(cases.TooMany, match="en esta hora"):
            cases.open_case(report(email="otra@example.com"), cases.Sender(address="10.0.0.1"))
        cases.open_case(report(email="otra@example.com"), cases.Sender(address="10.0.0.2"))
        for n in range(cases.STRANGERS - 1):
            cases.open_case(report(email="Otra@example.com"), cases.Sender(address=f"10.0.1.{n}"))
        with pytest.raises(cases.TooMany):
            cases.open_case(report(email="OTRA@example.com"), cases.Sender(address="10.0.2.1"))

    def test_an_hour_later_they_may_again(self) -> None:
        for _ in range(cases.STRANGERS):
            cases.open_case(report(), cases.Sender(address="10.0.0.1"))
        Case.objects.update(created_at=timezone.now() - timedelta(minutes=61))
        assert cases.open_case(report(), cases.Sender(address="10.0.0.1"))

    def test_the_address_itself_is_not_kept(self) -> None:
        case = cases.open_case(report(), cases.Sender(address="203.0.113.77"))
        assert len(case.origin) == 64 and "203" not in (case.link, case.detail, case.mobile)

    def test_people_who_signed_in_have_a_bound_of_their_own(self) -> None:
        member = make.member(make.account())
        for _ in range(cases.PEOPLE):
            cases.open_case(report(), cases.Sender(member.user, member.account))
        with pytest.raises(cases.TooMany):
            cases.open_case(report(), cases.Sender(member.user, member.account))

    def test_so_have_the_replies_in_one_case(self) -> None:
        case = cases.open_case(report(), cases.Sender())
        for _ in range(cases.PEOPLE):
            cases.reply(case, "¿Y bien?", author=None)
        with pytest.raises(cases.TooMany):
            cases.reply(case, "¿Y bien?", author=None)

    @pytest.mark.django_db(transaction=True)
    def test_many_at_once_are_counted_one_after_another(self) -> None:
        def knock(_: int) -> bool:
            try:
                cases.open_case(report(), cases.Sender(address="10.0.0.9"))
            except cases.TooMany:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(8) as pool:
            taken = sum(pool.map(knock, range(16)))
        assert taken == cases.STRANGERS == Case.objects.count()


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("captura.PNG", PNG),
            ("foto.jpeg", b"\xff\xd8\xff\xe0 JFIF"),
            ("recibo.pdf", b"%PDF-1.7 ..."),
            ("hoja.xlsx", b"PK\x03\x04 ..."),
            ("lista.csv", "Nombre,Celular\nÁna,1".encode("latin-1")),
            ("nota.txt", b"hola"),
        ],
    )
    def test_what_helps_is_kept_under_a_name_nobody_guesses(self, name: str, content: bytes) -> None:
        case = cases.open_case(report(files=[upload(name, content)]), cases.Sender())
        kept = case.attachments.get()
        with kept.file.open() as file:
            assert (kept.name, kept.size, file.read()) == (name, len(content), content)
        assert name.partition(".")[0] not in kept.file.name

    @pytest.mark.parametrize(
        ("files", "why"),
        [
            ([upload("virus.exe", b"MZ")], "no se puede adjuntar"),
            ([upload("dibujo.svg", b"<svg onload=alert(1)>")], "no se puede adjuntar"),
            ([upload("pagina.html", b"<script>")], "no se puede adjuntar"),
            ([upload("sin_nombre", b"hola")], "no se puede adjuntar"),
            ([upload("falsa.png", b"<script>alert(1)</script>")], "no es lo que su nombre dice"),
            ([upload("binario.txt", b"MZ\x00\x00")], "no es lo que su nombre dice"),
            ([upload("enorme.txt", b"x" * (attachments.LARGEST + 1))], "pasa de 5 MB"),
            ([upload("a.txt", b"a")] * 4, "Caben 3 archivos"),
        ],
    )
    def test_what_does_not_is_refused_with_a_sentence_and_no_case(
        self, files: list[SimpleUploadedFile], why: str
    ) -> None:
        with pytest.raises(attachments.Refused, match=why):
            cases.open_case(report(files=files), cases.Sender())
        assert not Case.objects.exists() and not Attachment.objects.exists()

    def test_files_of_a_reply_belong_to_it(self) -> None:
        case = cases.open_case(report(files=[upload("a.txt", b"a")]), cases.Sender())
        reply = cases.reply(case, "Va.", author=None, files=[upload("b.txt", b"b")])
        assert {file.name: file.reply_id for file in case.attachments.all()} == {"a.txt": None, "b.txt": reply.pk}
