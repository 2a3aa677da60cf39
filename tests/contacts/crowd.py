"""Many people in an account, and what a task might change of them."""

from django.db import connection

from pregon.contacts import bulk
from pregon.contacts.bulk_people import Chosen
from tests import make

CROWD = """
INSERT INTO contacts_contact (account_id, name, search, mobile, mobile_raw, mobile_problem, email, fields, consent, consent_at,
    created_at, updated_at)
SELECT %(account)s, initcap(called) || ' ' || n, called || ' ' || n,
    '+52222' || lpad(n::text, 7, '0'), '', '', '', jsonb_build_object('zona', 'z' || n %% 7), %(consent)s,
    CASE %(consent)s WHEN 'unknown' THEN NULL ELSE now() END, now(), now()
FROM generate_series(0, %(people)s - 1) AS n, LATERAL (SELECT CASE n %% 3 WHEN 0 THEN 'ana' ELSE 'eva' END AS called) AS person
"""
ANAS = "ana"  # every third is one


def gather(account, people, consent="unknown"):
    """The ids of so many new people."""
    with connection.cursor() as cursor:
        cursor.execute(CROWD, {"account": account.pk, "people": people, "consent": consent})
    return list(account.contacts.order_by("id").values_list("id", flat=True))


def begin(account, kind, args=None, *, ids=None, query="", actor=None, **chosen):
    who = Chosen(account, ids, query, **chosen)
    return bulk.start(who, kind, args or {}, actor or make.member(account).user)


def do(*args, **kwargs):
    task = begin(*args, **kwargs)
    bulk.finish(task)
    return task


def take_back(task):
    bulk.undo(task, make.member(task.account).user)
    bulk.finish(task)


def tagged(account):
    """Names of tags by contact."""
    rows = account.contacts.order_by("id").values_list("id", "tags__name")
    found = {pk: set() for pk, _name in rows}
    for pk, name in rows:
        found[pk] |= {name} - {None}
    return found


def snapshot(account):
    """Everything that acts for many people might change, but the evidence and the times of writing."""
    contacts = account.contacts.order_by("id").values_list(
        "id", "name", "mobile", "email", "fields", "consent", "consent_at"
    )
    refusals = account.refusals.order_by("mobile_hash").values_list("mobile_hash", "happened_at")
    return list(contacts), tagged(account), list(account.tags.values_list("id", "name")), list(refusals)
