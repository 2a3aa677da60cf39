"""How PostgreSQL looks a file's rows up in the base."""

import re

import pytest
from django.db import connection, transaction

from pregon.contacts import import_staging
from tests import make
from tests.contacts.crowd import gather
from tests.contacts.sheets import begin, bring, sheet

pytestmark = pytest.mark.django_db


def test_a_business_that_the_planner_does_not_know_is_looked_up_by_its_numbers():
    """Else each row of a file looks through all of its contacts: hours for a million."""
    for n in range(3):
        gather(make.account(f"Otra {n}"), 2_000)
    account = make.account()
    import_ = begin(account, sheet(20))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact")
    gather(account, 2_000)
    assert _used(import_) == {"contact_mobile_once", "contact_by_raw"}


@pytest.mark.django_db(transaction=True)
def test_the_second_file_of_an_installation_is_looked_up_by_its_numbers():
    """Of a table without statistics the planner thinks that any index will do."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE contacts_contact CASCADE")  # its statistics go, too
    account = make.account()
    bring(account, sheet(3_000))
    assert _used(begin(account, sheet(20))) == {"contact_mobile_once", "contact_by_raw"}


def _used(import_):
    """Indexes of contacts, when rows of it are judged."""
    with transaction.atomic(), connection.cursor() as cursor:
        import_staging.widen()
        select = import_staging._judgement(import_, import_staging._STRETCH, numbering=False)
        cursor.execute(f"EXPLAIN {select}", import_staging._given(import_, (0, 100)))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return set(re.findall(r"using (\w+) on contacts_contact ", plan))
