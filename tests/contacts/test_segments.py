"""Rules: their SQL beside an evaluation in Python; and segments, which are rules with a name."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.contacts import finding, rules, segments
from pregon.contacts.models import Consent, Contact
from pregon.contacts.rules import Group, Rule
from pregon.lib import text
from pregon.promotions import approvals, audiences, broadcasts, launch
from pregon.sending.models import Delivery, Reply, Status
from tests import make

pytestmark = pytest.mark.django_db

HOSTILE = [
    "'", "''", '"', "\\", "\\'", "%", "%%", "%s", "%(account)s", "%(rule_0)s", "{}", "{value}", "{0}", "$1", "$$", ":x", "--", "/*",
    "'; DROP TABLE contacts_contact; --", "' OR '1'='1", "\n", "\t", "\r", "\x01", "\u2028", "İ", "ß", "🥖", "\U0010ffff", "NULL",
    "null", "-5", "12", "12.5", "1e3", "0x1", "1_000", "٣", "Centro", "centro",
]  # fmt: skip
ACTIVITIES = ("written", "received", "read", "answered", "failed")


# Definitions


NOTHING = st.none()


def texts():
    """No NUL, no half of a pair: those are refused (see below)."""
    plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
    return st.sampled_from(HOSTILE) | plain | st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=3).map("".join)


def days():
    return st.sampled_from([1, 7, 30, 3650]) | st.integers(1, 3650)


def rule(field, op, value=NOTHING):
    return st.builds(Rule, st.just(field) if isinstance(field, str) else field, st.sampled_from(op.split()), value)


def own():
    return (texts() | st.sampled_from(["sucursal", "edad", "cumple", "cumple"])).map(lambda name: "own:" + name[:60])


def any_rule(world):
    activities = st.sampled_from(ACTIVITIES)
    return st.one_of(
        rule("consent", "is is_not", st.sampled_from(Consent.values)),
        rule("tag", "is is_not", st.sampled_from([*world.tags, 2**62])),
        rule("name", "word", texts().filter(text.words) | st.sampled_from(["ana", "ÁN", "ruiz l"])),
        rule("name", "filled empty"),
        rule("mobile", "starts", st.from_regex(r"\+(52)?(222)?[0-9]{1,3}", fullmatch=True)),
        rule("mobile", "filled empty to_fix"),
        rule("email", "filled empty"),
        rule("created", "within not_within", days()),
        rule("import", "is is_not", st.sampled_from([*world.imports, 2**62])),
        rule(own(), "is is_not starts", texts()),
        rule(own(), "before after", st.sampled_from(["2024-02-29", "1990-04-03"]) | st.dates().map(str)),
        rule(own(), "within not_within coming", days()),
        rule(own(), "anniversary", st.integers(0, 365)),
        rule(own(), "more less", st.integers(-20, 20) | st.floats(-1e6, 1e6, allow_nan=False)),
        rule(own(), "filled empty"),
        rule(activities, "within not_within", days()),
        rule(activities, "ever never"),
    )


def groups(world):
    def of(parts):
        return st.builds(Group, st.sampled_from(["all", "any"]), st.lists(parts, min_size=1, max_size=4).map(tuple))

    return of(any_rule(world) | of(any_rule(world)))


# People


class World:
    """A few dozen people of two businesses who differ in all that rules ask, and what happened to them."""

    def __init__(self):
        self.now = timezone.now()
        self.account = make.account()
        self.today = timezone.localdate(timezone=self.account.zone)
        self.batch = make.batch(self.account, make.promotion(self.account))
        self.trial = make.batch(self.account)
        self.imports = [self._import(name) for name in ("uno.csv", "dos.csv")]
        self.people = [self._person(n) for n in range(36)]
        self.tags = [
            make.tag(self.account, name, *self.people[at::of]).pk for name, at, of in (("VIP", 0, 3), ("B", 1, 5))
        ]
        for n, person in enumerate(self.people):
            self._write(n, person)
        make.contact(make.account("Otra"), "Ana de otro negocio", fields={"sucursal": "Centro"})

    def _import(self, name):
        return self.account.imports.create(file=name, file_name=name).pk

    def _person(self, n):
        name = ["Ana Ruiz", "Luis", "", "Ñandú Ána", "o'hara %s", "100% {x}", "ana\u2028maria", "Mariana Ruiz Luz"][
            n % 8
        ]
        bad = n % 7 == 3
        fields = [
            {},
            {"sucursal": "Centro"},
            {"sucursal": ""},
            {"edad": "12"},
            {"edad": "-5"},
            {"edad": "12.5"},
            {"edad": "1e3"},
        ]
        day = self.today + timedelta(days=[-400, -30, -1, 0, 1, 7, 364, 900][n % 8])
        born = [
            "1988-02-29",
            "1990-02-28",
            day.isoformat(),
            day.replace(year=1980, day=min(day.day, 28)).isoformat(),
            "2026-99-99",
        ]
        own = fields[n % 7] | {"cumple": born[n % 5]} | {HOSTILE[n % len(HOSTILE)]: HOSTILE[-n % len(HOSTILE)]}
        person = make.contact(
            self.account,
            name,
            search=text.words(name),
            fields=own,
            email="a@example.com" if n % 2 else "",
            consent=Consent.values[n % 3],
            source_id=[None, *self.imports][n % 3],
            **({"mobile": None, "mobile_problem": ["", "invalid"][n % 2]} if bad else {}),
        )
        if not name:  # make gives one
            Contact.objects.filter(pk=person.pk).update(name="", search="")
        Contact.objects.filter(pk=person.pk).update(created_at=self.now - timedelta(days=n * 3, hours=1))
        return Contact.objects.get(pk=person.pk)

    def _write(self, n, person):
        at = self.now - timedelta(days=n, hours=1)
        person.happened = {}
        if n % 4 == 0:
            return
        omitted, trial = n % 4 == 1, n % 9 == 8
        given = {"status": Status.OMITTED} if omitted else [
            {"status": Status.ACCEPTED, "delivery": Delivery.DELIVERED, "delivered_at": at},
            {"status": Status.ACCEPTED, "delivery": Delivery.READ, "read_at": at},
            {"status": Status.FAILED, "settled_at": at},
            {"status": Status.ACCEPTED, "delivery": Delivery.FAILED, "settled_at": at},
        ][n // 4 % 4]  # fmt: skip
        make.message(self.trial if trial else self.batch, person, created_at=at, **given)
        if not omitted and not trial:
            person.happened["written"] = at
            kind = ["received", "read", "failed", "failed"][n // 4 % 4]
            person.happened |= {kind: at} | ({"received": at} if kind == "read" else {})
        if n % 5 == 0:
            person.happened["answered"] = at
            Reply.objects.create(wamid=f"w{n}", account=self.account, contact=person, received_at=at)

    def fitting(self, group):
        return {person.pk for person in self.people if self.fits(person, group)}

    def fits(self, person, part):
        if isinstance(part, Group):
            return (all if part.mode == "all" else any)(self.fits(person, one) for one in part.parts)
        if part.field.startswith("own:"):
            return own_fits(person.fields.get(part.field[4:]), part, self.today)
        return getattr(self, part.field, self.activity)(person, part)

    def consent(self, person, rule):
        return (person.consent == rule.value) == (rule.op == "is")

    def tag(self, person, rule):
        return person.tags.filter(pk=rule.value).exists() == (rule.op == "is")

    def name(self, person, rule):
        if rule.op == "word":
            return f" {text.words(rule.value)}" in f" {person.search}"
        return bool(person.search) == (rule.op == "filled")

    def mobile(self, person, rule):
        return {
            "starts": (person.mobile or "").startswith(rule.value or "?"),
            "filled": person.mobile is not None,
            "empty": person.mobile is None,
            "to_fix": person.mobile_problem != "",
        }[rule.op]

    def email(self, person, rule):
        return bool(person.email) == (rule.op == "filled")

    def created(self, person, rule):
        return (person.created_at > self.now - timedelta(days=rule.value)) == (rule.op == "within")

    def activity(self, person, rule):
        if rule.field == "import":
            return (person.source_id == rule.value) == (rule.op == "is")
        at = person.happened.get(rule.field)
        happened = at is not None and (rule.value is None or at > self.now - timedelta(days=rule.value))
        return happened == (rule.op in ("within", "ever"))


def own_fits(kept, rule, today):
    day = kept if kept is not None and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", kept) else None
    later = lambda days: (today + timedelta(days=days)).isoformat()  # noqa: E731
    figure = float(kept) if kept is not None and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", kept) else None
    return {
        "is": lambda: kept == rule.value,
        "is_not": lambda: kept != rule.value,
        "starts": lambda: kept is not None and kept.startswith(rule.value),
        "more": lambda: figure is not None and figure > rule.value,
        "before": lambda: day is not None and day < rule.value,
        "after": lambda: day is not None and day > rule.value,
        "within": lambda: day is not None and later(-rule.value) <= day <= later(0),
        "not_within": lambda: day is not None and day < later(-rule.value),
        "coming": lambda: day is not None and later(0) <= day <= later(rule.value),
        "anniversary": lambda: day is not None and any(celebrated(day[5:], later(n)) for n in range(rule.value + 1)),
        "less": lambda: figure is not None and figure < rule.value,
        "filled": lambda: bool(kept),
        "empty": lambda: not kept,
    }[rule.op]()


def celebrated(born, today):
    """Whether a month and day are celebrated on this day: 29 February on the 28th where there is none."""
    short = int(today[:4]) % 4 or (int(today[:4]) % 100 == 0 and int(today[:4]) % 400)
    return born == today[5:] or (born == "02-29" and today[5:] == "02-28" and bool(short))


class TestAgainstPython:
    def test_every_definition_finds_whom_python_finds(self):
        """Hostile names and values among them: nothing but the people they are about is found, and all tables stay."""
        world = World()

        @settings(max_examples=200, deadline=None)
        @given(groups(world))
        def check(group):
            assert rules.parse(json.loads(json.dumps(rules.dump(group)))) == group
            wanted = world.fitting(group)
            assert set(finding.of(world.account, "", group).people.values_list("id", flat=True)) == wanted
            sql, params = audiences.select(
                world.account, audiences.Definition(audiences.Kind.SEGMENT, (1,), group, "x")
            )
            with connection.cursor() as cursor:
                cursor.execute(sql, params)
                assert {row[0] for row in cursor.fetchall()} == wanted

        check()
        assert Contact.objects.count() == 37

    def test_the_sql_knows_neither_names_nor_values(self):
        def plain(part):
            if isinstance(part, Group):
                return Group(part.mode, tuple(map(plain, part.parts)))
            return Rule(
                "own:x" if part.field.startswith("own:") else part.field,
                part.op,
                part.value and OTHER[type(part.value)],
            )

        @settings(deadline=None)
        @given(groups(type("Ids", (), {"tags": [1], "imports": [1]})))
        def check(group):
            sql, params = rules.sql(group, timezone.now())
            assert sql == rules.sql(plain(group), timezone.now())[0]
            assert set(re.findall(r"%\((\w+)\)s", sql)) <= set(params)

        check()


OTHER = {str: "x", int: 1, float: 1.5}


VIPS = {"all": [{"field": "name", "op": "word", "value": "ana"}]}


class TestSaved:
    def segment(self, account, name="Anas", data=VIPS):
        segment = segments.new(account, None)
        segments.save(segment, name, rules.parse(data))
        return segment

    def test_one_of_a_name(self):
        account = make.account()
        self.segment(account)
        with pytest.raises(segments.NameTaken):
            self.segment(account)
        self.segment(make.account("Otra"))

    def test_an_audience_is_the_segment_as_it_was_chosen(self):
        member = make.business()
        ana, luis = make.contact(member.account, "Ana"), make.contact(member.account, "Luis")
        segment = self.segment(member.account)
        definition = audiences.of_segment(segment)
        broadcast = make.broadcast(member.account)
        broadcasts.change_audience(broadcast, definition)
        broadcast.refresh_from_db()
        assert audiences.read(broadcast.audience) == definition
        assert list(audiences.people(member.account, definition)) == [ana]
        assert audiences.describe(definition, {}) == "Segmento Anas"
        segment.delete()
        approvals.approve(broadcast, member.user, seen=approvals.mark(broadcast))
        batch = launch.launch(broadcast, member.user)
        assert [message.contact for message in batch.messages.all()] == [ana] != [luis]

    def test_another_definition_undoes_the_approval(self):
        member = make.business()
        make.contact(member.account, "Ana")
        luis = make.contact(member.account, "Luis")
        segment = self.segment(member.account)
        broadcast = make.broadcast(member.account)
        broadcasts.change_audience(broadcast, audiences.of_segment(segment))
        broadcast.refresh_from_db()
        approvals.approve(broadcast, member.user, seen=approvals.mark(broadcast))
        segments.save(segment, "Otro nombre", segments.rules_of(segment))
        broadcast.refresh_from_db()
        assert approvals.valid(broadcast), "the same people"
        segments.save(segment, "Luises", rules.parse({"all": [{"field": "name", "op": "word", "value": "luis"}]}))
        broadcast.refresh_from_db()
        assert broadcast.approved_at is None
        assert "Cambiaste la lista" in broadcast.approval_lost
        assert list(audiences.people(member.account, audiences.read(broadcast.audience))) == [luis]
