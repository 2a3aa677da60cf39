"""People who put themselves on the list: a form, then their own message; and who take themselves off it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pregon.accounts.models import Account
from pregon.contacts import consent, history, optin
from pregon.contacts.consent import Act
from pregon.contacts.models import Consent, ConsentEntry, Contact, OptinPage, OptinRequest, OptinText, Refusal, Source
from tests import make
from tests.contacts.test_races import together

MOBILE = "+522225550142"
OFFER = optin.Offer(title="Entérate primero", text="Quiero recibir las promociones de La Espiga.")
GRANTED, WITHDRAWN, UNKNOWN = Consent.GRANTED, Consent.WITHDRAWN, Consent.UNKNOWN


def opened(account: Account | None = None, **changes: object) -> OptinPage:
    account = account or make.account()
    return optin.publish(account, replace(OFFER, **changes), make.user())  # type: ignore[arg-type]


def writes(text: str, at: datetime | None = None) -> Act:
    at = at or datetime.now(UTC)
    return Act(consent=GRANTED, source=Source.REPLY, happened_at=at, text=text, evidence={"wamid": "wamid.in"})


@pytest.mark.django_db
class TestPage:
    def test_other_words_are_another_version_and_the_old_stay(self) -> None:
        page = opened()
        opened(page.account)
        assert optin.latest(page).version == 1
        opened(page.account, text="Otra cosa.")
        assert [(words.version, words.text) for words in page.texts.order_by("version")] == [
            (1, OFFER.text),
            (2, "Otra cosa."),
        ]

    def test_businesses_of_one_name_have_addresses_of_their_own(self) -> None:
        slugs = {opened(make.account("Panadería La Espiga")).slug for _ in range(3)}
        assert len(slugs) == 3 and "panaderia-la-espiga" in slugs

    def test_a_name_without_letters_has_an_address(self) -> None:
        assert opened(make.account("🥐🥐🥐")).slug == "negocio"

    @pytest.mark.parametrize("word", ["baja", "Stop!", "hola", "INFO", "ya"])
    def test_a_word_that_is_written_for_other_reasons_is_no_yes(self, word: str) -> None:
        assert optin.keyword_refusal(word)
        assert not optin.keyword_refusal("ESPIGA")

    def test_those_who_came_are_counted_once_each(self) -> None:
        page = opened()
        for mobile in (MOBILE, "+522225550143"):
            for _ in range(2):
                consent.grant_number(page.account, mobile, source=Source.REPLY, happened_at=datetime.now(UTC))
        consent.grant_number(page.account, MOBILE, source=Source.IMPORT, happened_at=datetime.now(UTC))
        optin.take_unconfirmed(optin.ask(page, "+522225550144"))
        opened()
        assert optin.came(page.account) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_clicks_at_once_make_one_page_each() -> None:
    accounts, actor = [make.account("Panadería La Espiga") for _ in range(2)], make.user()
    clicks = [lambda account=account: optin.publish(account, OFFER, actor) for account in accounts * 3]
    assert together(*clicks) == []
    assert OptinPage.objects.count() == OptinText.objects.count() == 2


@pytest.mark.django_db
class TestCode:
    @pytest.mark.parametrize(
        "written", ["ALTA {}", "alta {}", "Alta: {}!", "  ALTA\n{} 🙏", "quiero darme de alta {}", "ALTA{}"]
    )
    def test_it_is_read_however_it_comes(self, written: str) -> None:
        code = optin.ask(opened(), MOBILE).code
        assert optin.code_in(written.format(code)) == optin.code_in(written.format(code.lower())) == code

    @pytest.mark.parametrize(
        "written", ["", "ALTA", "{}", "hola {}", "BAJA {}", "{} ALTA", "ALTA {} gracias", "ALTA {}22"]
    )
    def test_nothing_else_is(self, written: str) -> None:
        assert optin.code_in(written.format("K7M2PQ4X")) == ""

    def test_a_message_from_the_number_that_was_typed_proves_the_form(self) -> None:
        page = opened(privacy_url="https://example.com/privacidad")
        request = optin.ask(page, MOBILE, name="Ana", ip="203.0.113.9")
        opened(page.account, text="Otra cosa, que Ana no leyó.")
        heard = optin.heard(page.account, MOBILE, writes(f"ALTA {request.code}"))
        assert heard is not None and heard.name == "Ana"
        said = heard.said
        assert (said.consent, said.source, said.ip) == (GRANTED, Source.FORM, "203.0.113.9")
        assert said.text.splitlines() == [
            OFFER.title,
            OFFER.text,
            optin.privacy(page.account),
            "https://example.com/privacidad",
        ]
        assert said.evidence == {
            "wamid": "wamid.in",
            "said": f"ALTA {request.code}",
            "page": page.slug,
            "version": 1,
            "asked_at": request.created_at.isoformat(),
        }

    def test_a_replayed_code_proves_nothing_more(self) -> None:
        page = opened()
        request = optin.ask(page, MOBILE)
        assert optin.heard(page.account, MOBILE, writes(f"ALTA {request.code}"))
        assert optin.heard(page.account, MOBILE, writes(f"ALTA {request.code}")) is None

    def test_another_phones_message_proves_nothing(self) -> None:
        page = opened()
        request = optin.ask(page, MOBILE)
        assert optin.heard(page.account, "+522225550143", writes(f"ALTA {request.code}")) is None
        request.refresh_from_db()
        assert request.confirmed_at is None

    def test_a_code_of_another_business_proves_nothing(self) -> None:
        request = optin.ask(opened(make.account("Otra")), MOBILE)
        assert optin.heard(opened().account, MOBILE, writes(f"ALTA {request.code}")) is None

    def test_an_expired_code_proves_nothing(self) -> None:
        page = opened()
        request = optin.ask(page, MOBILE)
        late = request.created_at + optin.KEPT + timedelta(seconds=1)
        assert optin.heard(page.account, MOBILE, writes(f"ALTA {request.code}", late)) is None
        assert optin.heard(page.account, MOBILE, writes(f"ALTA {request.code}", late - timedelta(seconds=2)))

    def test_the_form_of_who_leaves_is_no_yes(self) -> None:
        page = opened()
        optin.leave(page, MOBILE)
        code = OptinRequest.objects.get().code
        assert optin.heard(page.account, MOBILE, writes(f"ALTA {code}")) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_messages_with_one_code_one_proves_it() -> None:
    page = opened()
    request = optin.ask(page, MOBILE)
    heard: list[optin.Heard | None] = []
    hear = lambda: heard.append(optin.heard(page.account, MOBILE, writes(f"ALTA {request.code}")))  # noqa: E731
    assert together(*[hear] * 4) == []
    assert [bool(one) for one in heard].count(True) == 1 and len(heard) == 4


@pytest.mark.django_db
class TestUnconfirmed:
    def test_it_is_a_yes_that_says_so(self) -> None:
        page = opened(takes_unconfirmed=True)
        optin.take_unconfirmed(optin.ask(page, MOBILE, name="Ana", ip="203.0.113.9"))
        ana = Contact.objects.get()
        entry = ana.consent_entries.get()
        assert (ana.name, ana.consent, entry.source, entry.ip) == ("Ana", GRANTED, Source.FORM, "203.0.113.9")
        assert entry.evidence["confirmed"] is False and entry.text.startswith(OFFER.title)
        assert history.tell(entry) == "Un formulario dijo que aceptaba"

    def test_it_brings_nobody_back(self) -> None:
        page = opened(takes_unconfirmed=True)
        consent.withdraw_number(page.account, MOBILE, source=Source.REPLY, happened_at=datetime(2026, 1, 1, tzinfo=UTC))
        optin.take_unconfirmed(optin.ask(page, MOBILE))
        assert Contact.objects.get().consent == WITHDRAWN and Refusal.objects.exists()


@pytest.mark.django_db
class TestLeaving:
    @pytest.mark.parametrize("known", [True, False])
    def test_a_no_counts_at_once_known_or_not(self, known: bool) -> None:
        page = opened()
        if known:
            make.contact(page.account, mobile=MOBILE)
        optin.leave(page, MOBILE, "203.0.113.9")
        assert not Contact.objects.exclude(consent=WITHDRAWN).exists() and Refusal.objects.count() == 1
        entry = ConsentEntry.objects.get()
        assert (entry.source, entry.ip, entry.evidence) == (Source.FORM, "203.0.113.9", {"page": page.slug})
        assert entry.text == optin.leaving(page.account)

    def test_the_link_of_a_person_speaks_for_them_alone(self) -> None:
        ana, eva = make.contact(make.account()), make.contact(make.account())
        assert optin.whose(optin.leave_key(ana.pk)) == ana
        key, other = optin.leave_key(ana.pk), optin.leave_key(eva.pk)
        for forged in (
            key.replace(f"{ana.pk}-", f"{eva.pk}-"),
            key[:-1],
            key + "0",
            f"{ana.pk}-",
            f"٣-{key}",
            "-",
            "",
            "\0",
            f"{'9' * 30}-{other}",
        ):
            assert optin.whose(forged) is None
        ana.delete()
        assert optin.whose(key) is None

    def test_a_second_press_adds_nothing(self) -> None:
        ana = make.contact(make.account(), mobile=MOBILE)
        for _ in range(2):
            optin.leave_by_link(ana, "203.0.113.9")
        entry = ana.consent_entries.get()
        assert (ana.consent, entry.source, entry.evidence) == (WITHDRAWN, Source.FORM, {"link": True})


@pytest.mark.django_db
class TestLimits:
    def test_of_a_number(self) -> None:
        page = opened()
        for _ in range(optin.PER_NUMBER):
            optin.ask(page, MOBILE)
        with pytest.raises(optin.TooMany):
            optin.ask(page, MOBILE)
        optin.ask(page, "+522225550143")
        optin.ask(opened(make.account("Otra")), MOBILE)
        for _ in range(optin.PER_NUMBER + 1):
            optin.leave(page, MOBILE)  # a no does not wait, neither behind a yes nor behind itself

    @pytest.mark.parametrize(
        ("ip", "same", "other"),
        [
            ("203.0.113.9", "203.0.113.9", "203.0.113.10"),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ],
    )
    def test_of_an_address_in_any_business(self, ip: str, same: str, other: str) -> None:
        page = opened()
        for n in range(optin.PER_ADDRESS[WITHDRAWN]):
            optin.leave(page, f"+5222255501{n:02}", ip)
        elsewhere = opened(make.account("Otra"))
        with pytest.raises(optin.TooMany):
            optin.leave(elsewhere, MOBILE, same)
        optin.leave(elsewhere, MOBILE, other)
        assert Refusal.objects.filter(account=elsewhere.account).count() == 1

    def test_of_a_business(self) -> None:
        page = opened()
        of_page = {"account": page.account, "act": GRANTED, "words": "", "mobile": MOBILE}
        rows = [OptinRequest(code=f"{n:08}", **of_page) for n in range(optin.PER_ACCOUNT)]
        OptinRequest.objects.bulk_create(rows)
        with pytest.raises(optin.TooMany):
            optin.ask(page, "+522225550143")
        OptinRequest.objects.update(created_at=datetime.now(UTC) - timedelta(hours=1, seconds=1))
        optin.ask(page, "+522225550143")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_counted_one_after_another() -> None:
    page = opened()
    refused = together(*[lambda: optin.ask(page, MOBILE)] * 8)
    assert {type(error) for error in refused} == {optin.TooMany}
    assert OptinRequest.objects.count() == optin.PER_NUMBER
