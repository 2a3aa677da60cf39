"""Every component, rendered without a database: well-formed, closing sums, zero said, nothing inline."""

import itertools
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.http import HttpRequest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone, translation
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

import pregon.panel
from pregon.panel import appearance, drawing, navigation, wording
from pregon.panel.templatetags import pregon as components
from pregon.panel.views import styleguide

PANEL = Path(pregon.panel.__file__).parent
VOID = {"meta", "link", "input", "img", "br", "hr", "rect", "path", "line", "circle", "use", "polyline"}
SIGNED_OUT = ("400", "403", "404", "500", "403_csrf", "413")


class Wellformed(HTMLParser):
    """Opens and closes in order; notes what a strict CSP refuses, and ids used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.wrong += [f"<{tag} {name}>" for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.wrong.append(f"inline <{tag}>")
        self.ids += [names["id"] or ""] if "id" in names else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing at {self.getpos()}")


def check(html: str) -> str:
    parser = Wellformed()
    parser.feed(html)
    assert parser.wrong == []
    assert parser.open == []
    assert sorted(set(parser.ids)) == sorted(parser.ids)
    return html


def draw(source: str, **context: object) -> str:
    return check(Template("{% load i18n pregon %}" + source).render(Context(context)))


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.get("/estilo/")


@pytest.fixture(scope="module")
def page() -> str:
    """The styleguide, with every component on it."""
    with translation.override("es-mx"), timezone.override("America/Mexico_City"):
        return render_to_string("panel/styleguide.html", styleguide.sample(), RequestFactory().get("/estilo/"))


class TestStyleguide:
    def test_is_well_formed_and_inline_free(self, page: str) -> None:
        check(page)
        assert page.count("<h1>") == 1

    def test_shows_every_component(self) -> None:
        library = (PANEL / "templatetags/pregon.py").read_text()
        shown = (PANEL / "templates/panel/styleguide.html").read_text()
        drawn_inside = {"equation", "bubble", "seal", "theme", "menu", "parts", "form_errors", "icon"}
        tags = set(re.findall(r"_(?:tag|block_tag)(?:\([^)]*\))?\ndef (\w+)", library)) - drawn_inside
        assert {
            tag for tag in tags if f"{{% {tag.rstrip('_')} " not in shown and f"{{% {tag} %}}" not in shown
        } == set()

    def test_every_icon_is_in_the_sprite(self) -> None:
        sprite = (PANEL / "static/vendor/icons.svg").read_text()
        pages = [file.read_text() for file in (PANEL / "templates").rglob("*.html")]
        used = {name for page in pages for name in re.findall(r'{% icon "([\w-]+)"', page)}
        used |= {section.icon for group in navigation.sections() for section in group.sections}
        used |= set(drawing.PATTERN_ICON.values())
        missing = {name for name in used if f'id="{name}"' not in sprite}
        assert missing == set(), "`npm run build` draws the sprite again; a name that stays missing is no Tabler icon"

    @pytest.mark.parametrize("name", SIGNED_OUT)
    def test_error_pages_stand_without_any_context(self, name: str) -> None:
        html = check(render_to_string(f"{name}.html"))
        assert html.count("<h1>") == 1


class TestSums:
    PARTS = ((431, "Aceptados", "accepted"), (0, "Fallidos", "failed"), (55, "Omitidos", "omitted"))

    def test_are_written_whole_and_with_their_zero(self) -> None:
        html = draw('{% sum parts 486 "Personas" %}', parts=self.PARTS)
        assert words(html) == "431 Aceptados + 0 Fallidos + 55 Omitidos = 486 Personas"

    @pytest.mark.parametrize("tag", ['sum parts 487 "Personas"', 'equation parts 487 "Personas"', "days parts 487"])
    def test_that_do_not_close_are_never_drawn(self, tag: str) -> None:
        with pytest.raises(drawing.SumDoesNotClose, match="431 \\+ 0 \\+ 55 = 486, not 487"):
            draw(f"{{% {tag} %}}", parts=self.PARTS)

    @pytest.mark.parametrize(("figure", "wide"), [(9_999, False), (10_000, True)])
    def test_long_figures_ask_for_more_room(self, figure: int, wide: bool) -> None:
        html = draw('{% sum parts figure "Personas" %}', parts=[(figure, "Aceptados")], figure=figure)
        assert ('class="p-sumbox wide"' in html) is wide

    def test_ledger_closes_across_its_sections(self) -> None:
        with pytest.raises(drawing.SumDoesNotClose):
            draw('{% ledger sections 249 "Filas" %}', sections=styleguide.ledger())

    def test_buckets_keep_their_order_and_waiting_joins_while_it_runs(self) -> None:
        done = SimpleNamespace(accepted=1, failed=2, omitted=3, unconfirmed=4, waiting=0)
        running = SimpleNamespace(accepted=1, failed=2, omitted=3, unconfirmed=4, waiting=5)
        line = "{% bucket_parts tally as p %}{% figures_line p %}"
        assert words(draw(line, tally=done)) == "1 aceptados · 2 fallidos · 3 omitidos · 4 por confirmar"
        assert words(draw(line, tally=running)).endswith("4 por confirmar · 5 en espera")

    def test_bar_says_every_figure_to_who_does_not_see_it(self) -> None:
        html = draw("{% bar parts %}", parts=self.PARTS)
        assert 'aria-label="431 aceptados, 0 fallidos, 55 omitidos"' in html
        assert html.count("<rect") == 3  # the track, and the two above zero


class TestShares:
    @given(st.lists(st.integers(0, 10**7), min_size=1, max_size=6), st.integers(0, 10**7))
    def test_nothing_above_zero_disappears_and_all_fits(self, figures: list[int], rest: int) -> None:
        shares = drawing.shares(figures, sum(figures) + rest)
        assert all(share >= drawing.LEAST - 1e-9 for share, figure in zip(shares, figures, strict=True) if figure)
        assert all(share == 0 for share, figure in zip(shares, figures, strict=True) if not figure)
        assert sum(shares) <= 100 + 1e-6

    def test_a_whole_bar_is_filled(self) -> None:
        assert sum(drawing.shares([99_999, 1], 100_000)) == pytest.approx(100)


class TestMeter:
    QUOTA = SimpleNamespace(limit=2000, used=1148, reserved=12, starts_on=date(2026, 11, 3), ends_on=date(2026, 12, 2))

    @pytest.mark.parametrize(
        ("today", "day"), [(date(2026, 11, 3), 1), (date(2026, 11, 19), 17), (date(2027, 1, 1), 30)]
    )
    def test_counts_the_day_of_the_period(self, today: date, day: int) -> None:
        html = draw("{% meter quota today %}", quota=self.QUOTA, today=today)
        assert f"Hoy, día {day} de 30" in html

    def test_a_plan_without_messages_is_drawn(self) -> None:
        none = SimpleNamespace(limit=0, used=0, reserved=0, starts_on=date(2026, 11, 3), ends_on=date(2026, 12, 2))
        draw("{% meter quota today %}", quota=none, today=date(2026, 11, 3))


class TestChart:
    def test_no_points_yet(self) -> None:
        draw("{% chart lines marks %}", lines=[drawing.Line("leídos", [])], marks=[(0, "10 h")])

    @given(st.lists(st.integers(0, 500), min_size=1, max_size=3))
    def test_words_never_overlap(self, ends: list[int]) -> None:
        lines = [drawing.Line("x", [(0, 0), (1, end)]) for end in ends]
        heights = sorted(float(y) for y in drawing.label_heights(lines, 500, drawing.Canvas(640)))
        assert all(below - above >= 15.9 for above, below in itertools.pairwise(heights))

    @given(st.integers(0, 10**8))
    def test_the_scale_holds_the_figure_and_has_three_whole_steps(self, figure: int) -> None:
        top = drawing.round_up(figure)
        assert top >= figure
        assert top % 3 == 0


class TestWording:
    @pytest.mark.parametrize(
        ("language", "written"),
        [("es", "1,148"), ("es-mx", "1,148"), ("es-co", "1.148"), ("en", "1,148")],
    )
    def test_thousands_follow_the_region(self, language: str, written: str) -> None:
        with translation.override(language):
            assert wording.number(1148) == written

    def test_dates_and_hours(self) -> None:
        moment = datetime(2026, 11, 19, 16, 7, tzinfo=UTC)
        with translation.override("es-mx"), timezone.override("America/Mexico_City"):
            assert wording.written(moment, "day") == "19 nov"
            assert wording.written(moment, "full") == "19 de noviembre de 2026"
            assert wording.written(moment, "weekday") == "jueves 19 de noviembre"
            assert wording.clock(moment) == "10:07"
        assert wording.day(None) == wording.clock(None) == wording.written(None, "day") == ""

    def test_the_year_is_said_when_it_is_another(self) -> None:
        assert wording.day(date(2019, 11, 19)) == "19 nov 2019"

    def test_percentages(self) -> None:
        assert [wording.percent(412, 431), wording.percent(431, 431), wording.percent(0, 0)] == ["95.6%", "100%", "0%"]

    def test_names_and_numbers(self) -> None:
        assert wording.initials("Lucía Mendoza Ríos") == "LR"
        assert wording.initials("ana@laespiga.mx") == "AM"
        assert wording.mobile("+522225550142") == "+52 222 555 0142"
        assert wording.mobile("222 555 01") == "222 555 01"

    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("sale en *$204*.", "<p>sale en <b>$204</b>.</p>"),
            ("_hoy_ ~no~", "<p><i>hoy</i> <s>no</s></p>"),
            ("2*3*4 y snake_case_x", "<p>2*3*4 y snake_case_x</p>"),
            ("* lista * suelta", "<p>* lista * suelta</p>"),
            ("<b>*x*</b>", "<p>&lt;b&gt;<b>x</b>&lt;/b&gt;</p>"),
            ("una\n\ndos", "<p>una</p><p>dos</p>"),
        ],
    )
    def test_whatsapp_marks(self, text: str, html: str) -> None:
        assert wording.marked(text) == html

    @given(st.text())
    def test_a_message_never_brings_markup_of_its_own(self, text: str) -> None:
        assert set(re.findall(r"<([a-z]+)", wording.marked(text))) <= {"p", "b", "i", "s", "code"}


class TestForms:
    def test_an_error_is_tied_to_its_field(self) -> None:
        form = styleguide.SampleForm({"mobile": "222", "name": "Lupita"})
        html = draw("{% field form.mobile %}", form=form)
        assert 'aria-invalid="true"' in html
        assert 'aria-describedby="id_mobile_error"' in html
        assert 'id="id_mobile_error"' in html

    def test_a_hint_taken_away_leaves_no_reference(self) -> None:
        html = draw('{% field form.name hint="" %}', form=styleguide.SampleForm())
        assert "aria-describedby" not in html

    def test_the_counter_begins_with_what_is_there(self) -> None:
        html = draw("{% field form.name counter=True %}", form=styleguide.SampleForm({"name": "Lupita"}))
        assert "6 de 60" in words(html)
        assert 'maxlength="60"' in html

    def test_choices_explain_themselves(self) -> None:
        html = draw("{% field form.origin %}", form=styleguide.SampleForm())
        assert "Se apuntaron en la tienda Hoja, tarjeta o tableta" in words(html)
        assert html.count('type="radio"') == 2


class TestFrame:
    def test_doors_that_do_not_exist_are_not_shown(self, request_: HttpRequest) -> None:
        menu = navigation.menu(request_, {})
        assert all(section.url for group in menu.groups for section in group.sections)

    def test_the_longest_address_is_the_current_section(self) -> None:
        home, contacts = (
            navigation.Section("home", "", "", url="/"),
            navigation.Section("contacts", "", "", url="/contactos/"),
        )
        navigation.mark_current([home, contacts], "", "/contactos/importar/")
        assert (home.current, contacts.current) == (False, True)
        navigation.mark_current([home, contacts], "home", "/contactos/")
        assert (home.current, contacts.current) == (True, False)

    @pytest.mark.parametrize(
        ("cookie", "painted"), [("dark", "dark"), ("light", "light"), ("system", "light"), ("<x>", "light")]
    )
    def test_the_server_paints_the_theme_of_the_cookie(self, rf: RequestFactory, cookie: str, painted: str) -> None:
        rf.cookies[appearance.COOKIE] = cookie
        html = render_to_string("404.html", request=rf.get("/"))
        assert f'data-bs-theme="{painted}"' in html

    def test_a_theme_is_kept_and_leads_back(self, rf: RequestFactory) -> None:
        response = appearance.choose(rf.post("/", {"theme": "dark", "next": "/contactos/?q=1"}))
        assert response.cookies[appearance.COOKIE].value == "dark"
        assert response.headers["Location"] == "/contactos/?q=1"

    def test_a_theme_never_leads_elsewhere(self, rf: RequestFactory) -> None:
        assert appearance.choose(rf.post("/", {"theme": "dark", "next": "//evil.example"})).headers["Location"] == "/"
        assert appearance.choose(rf.post("/", {"theme": "neon"})).status_code == 400


def test_a_label_is_escaped_whatever_was_drawn_before() -> None:
    safe, plain = (components.pill("accepted", label) for label in (mark_safe("<b>Sí</b>"), "<b>Sí</b>"))
    assert "<b>Sí</b>" in safe
    assert "&lt;b&gt;Sí&lt;/b&gt;" in plain
