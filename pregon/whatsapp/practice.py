"""Practice mode: promotions of a business go to the simulator's virtual phones instead of to people."""

from django.conf import settings
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.whatsapp import line, numbers, problems, templates
from pregon.whatsapp.cloud import management
from pregon.whatsapp.cloud.client import Client
from pregon.whatsapp.models import Number

# What every simulator starts with. The token is a word, not a secret: it opens nothing else.
TOKEN = "practica"
SAMPLE_NUMBER, SAMPLE_WABA = "106540352242922", "102290129340398"
OWN = 7_000_000_000_000_000  # ids of the numbers and accounts made here are above it, so that they meet none of the simulator's


def switch(account: Account, *, on: bool) -> None:
    """From now on promotions leave from the practice number, or from the real one. Raises `problems.MetaProblem`."""
    if on and not account.numbers.filter(practice=True).exists():
        templates.sync(connect(account))
    Account.objects.filter(pk=account.pk).update(practice=on)
    account.practice = on


def connect(account: Account) -> Number:
    """A number of the business's own at the simulator, with approved templates. Raises `problems.MetaProblem`."""
    key = own_key(account)
    if not settings.SIMULATOR_URL:
        raise problems.MetaProblem(_("Esta instalación no tiene modo práctica"), _("Conecta un número real en Ajustes"))
    line.ask(key, lambda client: _prepare(client, key, account))
    return numbers.attach(account, key)


def connect_sample(account: Account) -> Number:
    """The number that the simulator starts with; one business can have it. Raises `problems.MetaProblem`."""
    return numbers.attach(account, line.Key(SAMPLE_NUMBER, SAMPLE_WABA, TOKEN, practice=True))


def own_key(account: Account) -> line.Key:
    return line.Key(str(OWN + 2 * account.pk), str(OWN + 2 * account.pk + 1), TOKEN, practice=True)


async def _prepare(client: Client, key: line.Key, account: Account) -> None:
    """Give the simulator the number, its account, and copies of the templates it starts with."""
    samples = await management.templates(client, SAMPLE_WABA)
    copied = ("name", "language", "category", "components", "parameter_format")
    setup = {
        "wabas": [{"id": key.waba_id, "name": account.name}],
        "numbers": [
            {"id": key.phone_number_id, "display": _display(account), "waba_id": key.waba_id, "name": account.name}
        ],
        "templates": [{name: each[name] for name in copied} | {"waba_id": key.waba_id} for each in samples],
    }
    async with Client(key.graph_url, key.phone_number_id, key.token, version="_sim") as simulator:
        await simulator.call("POST", "setup", json=setup)


def _display(account: Account) -> str:
    return f"+52 55 {5_550_0000 + account.pk % 10_000:08d}"
