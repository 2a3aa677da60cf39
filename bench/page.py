"""How long finding people takes: one business with a million contacts beside 99 with ten thousand each, served as in production.

Three figures: pages of the list, searches as they are typed, and counts. `BENCH_PAGE_PEOPLE=100000` measures a smaller base.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from bench import load, processes
from bench.figures import Figure, at_most
from pregon.accounts.models import Account, Member
from pregon.contacts import segments
from pregon.contacts.models import Contact, Segment, Tag
from pregon.contacts.rules import Group, Rule
from tests import make
from tests.ports import free_port

PEOPLE = int(os.environ.get("BENCH_PAGE_PEOPLE", "1000000"))
OTHERS = 99  # businesses, each with a hundredth of that
REQUESTS = 40  # of each address
CLIENTS = 4  # at once

# A fifth are called María, one in five thousand Xóchitl; the surnames make every pair of words common enough to be looked for.
ADD = """
INSERT INTO contacts_contact (account_id, name, search, mobile, mobile_raw, mobile_problem, email, fields, consent, consent_at,
    created_at, updated_at)
SELECT %(account)s, initcap(called), called, CASE WHEN bad THEN NULL ELSE '+52' || (2220000000 + n * 7) END,
    CASE WHEN bad THEN '222 ' || n ELSE '' END, CASE WHEN bad THEN 'incomplete' ELSE '' END, '',
    CASE n %% 3 WHEN 0 THEN jsonb_build_object('sucursal', (ARRAY['Centro', 'Norte', 'Sur'])[1 + n / 3 %% 3]) ELSE '{}' END,
    CASE WHEN n %% 200 = 7 THEN 'withdrawn' WHEN n %% 4 = 1 THEN 'unknown' ELSE 'granted' END, now(), now(), now()
FROM generate_series(1, %(people)s) AS n, LATERAL (SELECT n %% 50 = 13 AS bad, concat_ws(' ',
    CASE WHEN n %% 5000 = 1 THEN 'xochitl' ELSE (%(first)s::text[])
        [1 + ('x' || left(md5(n::text), 6))::bit(24)::int %% array_length(%(first)s::text[], 1)] END,
    (%(first)s::text[])[1 + ('x' || substr(md5(n::text), 7, 6))::bit(24)::int %% array_length(%(first)s::text[], 1)],
    (%(last)s::text[])[1 + ('x' || substr(md5(n::text), 13, 6))::bit(24)::int %% array_length(%(last)s::text[], 1)]) AS called)
AS row"""
FIRST = ["maria"] * 9 + [
    "jose", "juan", "luis", "ana", "rosa", "guadalupe", "carlos", "jorge", "elena", "miguel", "pedro", "lucia", "fernanda", "sofia",
    "diego", "andres", "mariana", "martha", "raul", "silvia", "ivan", "oscar", "pablo", "teresa", "ramiro", "nora", "hugo", "ines",
    "irma", "julio", "karla", "laura", "mario", "nadia", "olga", "paula", "rene", "sara", "tomas", "vera",
]  # fmt: skip
LAST = [start + end for start in ("her", "ro", "lo", "sal", "mar", "cas", "ve", "qui", "zu", "ba") for end in (
    "nandez", "driguez", "pez", "dana", "tinez", "tillo", "lazquez", "roz", "niga", "rrera", "gas", "ldes", "mora", "llas", "tes",
)]  # fmt: skip
TAG = """
INSERT INTO contacts_contact_tags (contact_id, tag_id) SELECT id, %(tag)s FROM contacts_contact
WHERE account_id = %(account)s AND id %% %(of)s = 0
"""
WRITE = """
INSERT INTO sending_message (account_id, batch_id, position, contact_id, name, mobile, meta_user_id, "values", status, omission,
    delivery, charged, attempts, error_details, trace_id, created_at, read_at)
SELECT account_id, %(batch)s, row_number() OVER (ORDER BY id), id, name, mobile, '', '{}', 'accepted', '', 3, true, 1, '', '',
    now(), CASE id %% 3 WHEN 0 THEN now() END
FROM contacts_contact WHERE account_id = %(account)s AND mobile IS NOT NULL AND id %% 3 <> 1
"""


@dataclass(frozen=True)
class Base:
    member: Member
    common: Tag  # of a tenth of the people
    rare: Tag  # of one in ten thousand
    segment: Segment


def measure() -> list[Figure]:
    base = _base()
    cookie = make.signed_in(base.member).cookies[settings.SESSION_COOKIE_NAME].value
    port = free_port()
    serve = ("granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "1", "--port", str(port))
    with processes.running(*serve, "--log-level", "warning", "pregon.wsgi:application"):
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        return [figure for name, paths in addresses(base).items() for figure in _figures(name, paths, port, cookie)]


def addresses(base: Base) -> dict[str, list[str]]:
    """By figure."""
    return {
        "contacts": [f"/contactos/?{query}" for query in _lists(base)],
        "search": [f"/contactos/?q={words}" for words in SEARCHES],
        "count": [f"/contactos/segmentos/contar/?mode=all&{row}" for row in _rows(base)],
    }


def _lists(base: Base) -> list[str]:
    middle = Contact.objects.filter(account=base.member.account).order_by("search", "id")[PEOPLE // 2]
    return [
        "",
        f"despues={middle.pk}&desde={PEOPLE // 2}",
        "permiso=con",
        "permiso=baja",
        "permiso=corregir",
        f"etiqueta={base.common.pk}",
        f"etiqueta={base.rare.pk}",
        "sin=semana",
        f"segmento={base.segment.pk}",
    ]


SEARCHES = ("xoch", "maria", "m", "maria+hernandez", "quiroz+jose", "nadie", "222+000+0700", "0700", "222+0")


def _rows(base: Base) -> list[str]:
    """What the form of a segment sends while one fills it in."""
    tag = f"c0-kind=tag&c0-op=is&c0-value={base.common.pk}"
    return [
        "c0-kind=consent&c0-op=is&c0-value=granted",
        tag,
        f"{tag}&c1-kind=written&c1-op=not_within&c1-value=30",
        "c0-kind=read&c0-op=within&c0-value=30",
        "c0-kind=own&c0-what=sucursal&c0-op=is&c0-value=Centro",
        "c0-kind=name&c0-op=word&c0-value=zuniga",
        "c0-kind=own&c0-what=sucursal&c0-op=is&c0-value=nowhere",
    ]


def _figures(name: str, paths: Sequence[str], port: int, cookie: str) -> list[Figure]:
    """The figure over all addresses, and its slowest one: told apart, for a mean hides it."""
    htmx = "" if name == "contacts" else "HX-Request: true\r\n"
    requests = {path: _request(path, cookie, htmx) for path in paths}
    load.press(port, list(requests.values()) * 2, CLIENTS)
    found = load.press(port, list(requests.values()) * REQUESTS, CLIENTS)
    assert not found.odd, found.odd[:3]
    alone = {path: load.press(port, [request] * 10, 1).percentile(0.5) for path, request in requests.items()}
    for path, seconds in alone.items():
        print(f"  {seconds * 1_000:7.1f} ms alone  {path}", flush=True)
    return [
        at_most(f"page.{name}_p95_ms", found.percentile(0.95) * 1_000, "ms", 100),
        Figure(f"page.{name}_slowest_ms", round(max(alone.values()) * 1_000, 1), "ms"),
        Figure(f"page.{name}_per_s", round(len(found.times) / found.seconds, 1), "req/s"),
    ]


def _request(path: str, cookie: str, more: str = "") -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {settings.SESSION_COOKIE_NAME}={cookie}\r\n{more}\r\n"
    return head.encode()


def _base() -> Base:
    member = make.business()
    _add(member.account, PEOPLE)
    for _other in range(OTHERS):
        _add(make.account(), PEOPLE // 100)
    common, rare = (_tag(member.account, name, of) for name, of in (("Centro", 10), ("VIP", 10_000)))
    batch = make.batch(member.account, make.promotion(member.account))
    with connection.cursor() as cursor:
        cursor.execute(WRITE, {"batch": batch.pk, "account": member.account_id})
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")  # writing out what was made here is no part of a page
    return Base(member, common, rare, _segment(member.account, common))


def _add(account: Account, people: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ADD, {"account": account.pk, "people": people, "first": FIRST, "last": LAST})


def _segment(account: Account, tag: Tag) -> Segment:
    """With permission and a tag, and not written to for a month."""
    segment = segments.new(account, None)
    parts = (Rule("consent", "is", "granted"), Rule("tag", "is", tag.pk), Rule("written", "not_within", 30))
    segments.save(segment, "Sin noticias", Group("all", parts))
    return segment


def _tag(account: Account, name: str, of: int) -> Tag:
    tag = make.tag(account, name)
    with connection.cursor() as cursor:
        cursor.execute(TAG, {"tag": tag.pk, "account": account.pk, "of": of})
    return tag
