"""One person, one number: whatever way it was written, and exactly what libphonenumber says otherwise."""

import random
from collections.abc import Iterator

import phonenumbers
import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.lib import phone_faults, phones
from pregon.lib.phones import Fault, Phone, Problem

REGIONS = ["MX", "AR", "BR", "PE", "CO", "CL", "EC", "BO", "PY", "UY", "VE", "GT", "CR", "PA", "DO", "ES", "US"]

SEPARATORS = st.sampled_from(["", "", " ", "-", ".", " - ", "(", ") "])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A number and its region: example numbers with digits changed, prefixes put before, separators put between."""
    region = draw(st.sampled_from(REGIONS))
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    national = str(example.national_number)
    kept = draw(st.integers(0, len(national)))
    tail = draw(st.text("0123456789", max_size=12 - kept if kept < 12 else 0))
    prefix = draw(st.sampled_from(["", "", "+" + str(example.country_code), str(example.country_code), "0", "1", "+"]))
    digits = prefix + national[:kept] + tail
    return "".join(digit + draw(SEPARATORS) for digit in digits), region


def library(raw: str, region: str) -> str | None:
    """E.164 of what libphonenumber calls valid."""
    try:
        parsed = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def check_against_library(raw: str, region: str) -> None:
    expected, got = library(raw, region), phones.read(raw, region)
    if expected is not None:
        assert isinstance(got, Phone), raw
        assert got.mobile == phones.canonical(expected.lstrip("+"))
    if isinstance(got, Phone):
        assert library(got.mobile, "ZZ") == got.mobile
        assert got.country == phonenumbers.region_code_for_number(phonenumbers.parse(got.mobile))


@given(written())
def test_reads_what_the_library_reads(case: tuple[str, str]) -> None:
    raw, region = case
    digits = raw.translate(dict.fromkeys(map(ord, " -.()")))
    if not digits.startswith("00") and "." not in raw:  # dots may be decimals: see the spreadsheet's cases
        check_against_library(raw, region)


def generated(region: str, count: int) -> Iterator[str]:
    """As people write: the country's example with another end, and any digits; bare, after the code, after prefixes."""
    dice = random.Random(region)
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    national, code = str(example.national_number), str(example.country_code)
    for _number in range(count):
        kept = dice.choice([0, dice.randint(0, len(national))])
        digits = national[:kept] + "".join(dice.choices("0123456789", k=dice.randint(0, max(0, 13 - kept))))
        written = dice.choice(["", "", "+" + code, code, "0", "1"]) + digits
        if not written.startswith("00") and len(written) > 1:  # 00 is ours: see SAME_PERSON
            yield dice.choice([written, f"{written[:4]} {written[4:7]}-{written[7:]}"])


@pytest.mark.parametrize("region", REGIONS)
def test_agrees_with_the_library_in_each_country(region: str) -> None:
    for raw in generated(region, 2_000):
        check_against_library(raw, region)
        # An invisible letter, and the number takes the slow road: both must end in the same place.
        assert phones.read("\u200b" + raw, region) == phones.read(raw, region), raw


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("region", REGIONS)
def test_agrees_with_the_library_on_200_000_of_each_country(region: str) -> None:
    for raw in generated(region, 200_000):
        check_against_library(raw, region)


@settings(deadline=None)  # the first number of a country compiles its plan
@given(st.text(max_size=60), st.sampled_from(REGIONS))
def test_any_cell_has_an_answer(raw: str, region: str) -> None:
    answer = phones.read(raw, region)
    if isinstance(answer, Problem):
        assert answer.reason in (phones.INCOMPLETE, phones.INVALID)
        assert answer.explanation


@given(written())
def test_what_was_read_reads_the_same_again(case: tuple[str, str]) -> None:
    phone = phones.read(*case)
    if isinstance(phone, Phone):
        assert phones.read(phone.mobile, "PE") == phone
        assert phones.canonical(phone.mobile.removeprefix("+")) == phone.mobile
        assert phones.read(phones.display(phone.mobile), "CL") == phone


SAME_PERSON = [
    ("MX", "+522225550142", "222 555 0142", "52 222 555 0142", "+52 1 222 555 0142", "5212225550142", "1 222 555 0142"),
    ("MX", "+522225550142", "044 222 555 0142", "045-222-555-0142", "01 (222) 555 0142", "0052 222 555 0142"),
    ("AR", "+5491123456789", "11 2345 6789", "011 15-2345-6789", "+54 11 2345-6789", "54 9 11 2345 6789"),
    ("AR", "+5491123456789", "11 15 2345 6789", "9 11 2345 6789", "0054 9 11 2345 6789"),
    ("AR", "+5493416123456", "0341 15 612-3456", "+54 341 612 3456", "5493416123456", "341 612 3456"),
    ("BR", "+5531987654321", "(31) 98765-4321", "31 8765-4321", "+55 31 8765 4321", "553187654321", "031 98765 4321"),
    ("BR", "+5511987654321", "11 98765 4321", "55 11 98765-4321", "0 15 11 98765-4321", "1187654321"),
    ("PE", "+51987654321", "987654321", "987 654 321", "+51-987-654-321", "0051987654321", "51987654321", "0987654321"),
    ("CL", "+56961234567", "9 6123 4567", "+56 9 6123 4567", "56961234567", "0056961234567"),
    ("CO", "+573001234567", "300 123 4567", "57 300 1234567", "0057 300 1234567", "+57 (300) 123-4567"),
    ("US", "+16505551234", "(650) 555-1234", "1 650 555 1234", "+1.650.555.1234"),
]  # fmt: skip


@pytest.mark.parametrize(("region", "mobile", "raw"), [(row[0], row[1], raw) for row in SAME_PERSON for raw in row[2:]])
def test_every_way_to_write_a_person_is_one(region: str, mobile: str, raw: str) -> None:
    assert phones.read(raw, region) == Phone(mobile, region)


@pytest.mark.parametrize(
    ("wa_id", "mobile"),
    [
        ("5212225550142", "+522225550142"),
        ("522225550142", "+522225550142"),
        ("5493416123456", "+5493416123456"),
        ("543416123456", "+5493416123456"),
        ("553187654321", "+5531987654321"),
        ("5511987654321", "+5511987654321"),
        ("551133334444", "+551133334444"),  # a fixed line has no ninth digit
        ("51987654321", "+51987654321"),
        ("16505551234", "+16505551234"),
        ("99912345678", "+99912345678"),
    ],
)
def test_metas_ids_end_in_the_same_form(wa_id: str, mobile: str) -> None:
    assert phones.canonical(wa_id) == mobile


@pytest.mark.parametrize("wa_id", ["", "PE.13491208655302741918", "12a45678", "1234", "１２３４５６７８"])
def test_what_is_no_wa_id_is_told(wa_id: str) -> None:
    assert phones.canonical(wa_id) is None


@pytest.mark.parametrize(
    ("region", "raw", "mobile"),
    [
        ("PE", "987654321.0", "+51987654321"),
        ("PE", "987654321,00", "+51987654321"),
        ("PE", "9.87654321E8", "+51987654321"),
        ("PE", "5.1987654321E+10", "+51987654321"),
        ("PE", "5,1987654321E+10", "+51987654321"),
        ("PE", "987,654,321", "+51987654321"),
        ("PE", "987.654.321,00", "+51987654321"),
        ("MX", "222.555.0142", "+522225550142"),
        ("PE", "'987654321", "+51987654321"),
        ("PE", '="987654321"', "+51987654321"),
        ("MX", "51987654321", "+51987654321"),  # a whole number of another country, without its +
        ("CO", "0054 9 11 2345 6789", "+5491123456789"),
        ("MX", "https://wa.me/51987654321", "+51987654321"),
        ("PE", "\u202a+51 987 654 321\u202c", "+51987654321"),
        ("PE", "\ufeff987\u200b654\u00a0321\u00ad", "+51987654321"),
        ("PE", "９８７６５４３２１", "+51987654321"),
        ("PE", "٩٨٧٦٥٤٣٢١", "+51987654321"),
        ("PE", "9８７６５４３２１", "+51987654321"),
        ("PE", "9️⃣8️⃣7️⃣654321", "+51987654321"),
        ("PE", "+51–987–654–321", "+51987654321"),
        ("PE", "Cel: 987654321 (mamá)", "+51987654321"),
        ("PE", "987654321 anexo 12", "+51987654321"),
        ("PE", "987654321\n", "+51987654321"),
    ],
)
def test_cells_as_they_come(region: str, raw: str, mobile: str) -> None:
    phone = phones.read(raw, region)
    assert isinstance(phone, Phone)
    assert phone.mobile == mobile


ROUNDED = "La hoja de cálculo recortó este número: dale formato de texto y escríbelo completo"


@pytest.mark.parametrize(
    ("region", "raw", "fault", "explanation"),
    [
        ("MX", "22255501", Fault.MISSING, "Faltan 2 dígitos: en México son 10"),
        ("MX", "+52 222 555 014", Fault.MISSING, "Falta 1 dígito: en México son 10"),
        ("PE", "98765432", Fault.MISSING, "Falta 1 dígito: en Perú son 9"),
        ("BR", "98765-4321", Fault.MISSING, "Faltan 2 dígitos: en Brasil son 11"),
        ("AR", "15 2345 6789", Fault.NO_AREA, "Falta el código de área: en Argentina son 10 dígitos, sin el 15"),
        ("MX", "22255501422", Fault.EXTRA, "Sobra 1 dígito: en México son 10"),
        ("MX", "1" * 40, Fault.EXTRA, "Sobran 30 dígitos: en México son 10"),
        ("MX", "0000000000", Fault.IMPOSSIBLE, "Ningún número de México es así: revisa sus dígitos"),
        ("PE", "+51 123 456 789", Fault.IMPOSSIBLE, "Ningún número de Perú es así: revisa sus dígitos"),
        ("PE", "5.1987E+10", Fault.ROUNDED, ROUNDED),
        ("PE", "987654321.5", Fault.FRACTION, "Este número tiene decimales: escríbelo sin ellos"),
        ("PE", "9.876543215E8", Fault.FRACTION, "Este número tiene decimales: escríbelo sin ellos"),
        ("PE", "987654321 / 912345678", Fault.SEVERAL, "Aquí hay 2 números: deja uno solo"),
        ("PE", "987654321, 912345678; 998877665", Fault.SEVERAL, "Aquí hay 3 números: deja uno solo"),
        ("PE", "987654321 y 912345678", Fault.SEVERAL, "Aquí hay 2 números: deja uno solo"),
        ("PE", "987654321\n912345678", Fault.SEVERAL, "Aquí hay 2 números: deja uno solo"),
        ("PE", "987 654 321 912 345 678", Fault.SEVERAL, "Aquí hay 2 números: deja uno solo"),
        ("PA", "+507 61234567 61234568", Fault.SEVERAL, "Aquí hay 2 números: deja uno solo"),
        ("MX", "+999 12345678", Fault.UNKNOWN_COUNTRY, "Ningún país usa ese prefijo: revisa lo que sigue al +"),
        ("MX", "no tiene", Fault.NO_NUMBER, "Aquí no hay un celular: escribe sus dígitos"),
        ("MX", "juan1985@gmail.com", Fault.NO_NUMBER, "Aquí no hay un celular: escribe sus dígitos"),
        ("MX", " \u200b ", Fault.EMPTY, "Falta el celular"),
    ],
)  # fmt: skip
def test_refusals_say_why_in_figures(region: str, raw: str, fault: Fault, explanation: str) -> None:
    problem = phones.read(raw, region)
    assert isinstance(problem, Problem)
    assert problem.fault == fault
    with translation.override("es"):
        assert problem.explanation == explanation
        assert phone_faults.explain(problem.code) == explanation


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.EMPTY, "numero_incompleto"),
        (Fault.MISSING, "numero_incompleto"),
        (Fault.ROUNDED, "numero_incompleto"),
        (Fault.EXTRA, "numero_invalido"),
        (Fault.IMPOSSIBLE, "numero_invalido"),
    ],
)
def test_incomplete_and_invalid_are_told_apart(fault: Fault, reason: str) -> None:
    assert Problem(fault, "MX").reason == reason


def test_a_problems_code_is_short_and_its_words_are_the_readers() -> None:
    code = Problem(Fault.MISSING, "MX", 2).code
    assert code == "missing:2:MX"
    with translation.override("en"):
        assert "Mexico" in phone_faults.explain(code)


@pytest.mark.parametrize("code", ["", "missing", "missing:2", "gone:2:MX", "missing:x:MX"])
def test_what_is_no_code_is_the_callers_mistake(code: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (Python's own words)
        phone_faults.explain(code)


def test_an_unknown_region_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="XX"):
        phones.read("987654321", "XX")


def test_faces_of_a_number() -> None:
    assert phones.display("+522225550142") == "+52 222 555 0142"
    assert phones.mask("+522225550142") == "+52•••••0142"
    assert phones.mask("not a number") == "•••••mber"
    assert phones.country("+522225550142") == "MX"
    assert phones.country("+99912345678") is None


@pytest.mark.parametrize(
    ("mobile", "kind"),
    [
        ("+51987654321", "mobile"),
        ("+5114151234", "fixed"),
        ("+522225550142", "either"),
        ("+16505551234", "either"),
        ("+18005551234", "toll_free"),
        ("+5491123456789", "mobile"),
        ("+99912345678", "other"),
    ],
)
def test_kinds_of_numbers(mobile: str, kind: str) -> None:
    assert phones.kind(mobile) == kind


def test_carriers_are_a_hint_where_the_library_has_one() -> None:
    assert phones.carrier("+51987654321") == "Claro"
    assert phones.carrier("+5114151234") == ""
    assert phones.carrier("not a number") == ""


def test_the_united_states_are_not_canada() -> None:
    assert phones.us_number("+16505551234")
    assert not phones.us_number("+14165550142")
    assert not phones.us_number("+18095551234")
    assert not phones.us_number("+522225550142")


@pytest.mark.parametrize("region", REGIONS)
def test_they_say_it_in_either_language_of_a_region(region: str) -> None:
    """Babel knows no `en_MX`."""
    problem = phones.read("12", region)
    assert isinstance(problem, Problem)
    for language in ("en", f"en-{region.lower()}", f"es-{region.lower()}"):
        with translation.override(language):
            assert problem.explanation
