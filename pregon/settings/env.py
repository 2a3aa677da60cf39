"""Configuration from the environment: one reader for every variable, refusing what it does not understand.

Each variable may also be given as a file: ``PREGON_SECRET_KEY_FILE=/run/secrets/key``. Secrets that nobody gave are
made once and kept in ``$PREGON_HOME/secrets`` so that a second start can read what the first one encrypted.
"""

import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KNOWN = {
    "PREGON_ALLOWED_HOSTS": "host names of the panel, separated by commas",
    "PREGON_ARRIVALS_DAYS": "days that raw webhook arrivals are kept",
    "PREGON_DEBUG": "1 shows tracebacks in the browser; never on a public server",
    "PREGON_EMAIL_URL": "smtp://user:password@host:587 ; console: or file: write the mail instead of sending it",
    "PREGON_FROM_EMAIL": "the address that mail comes from",
    "PREGON_GRAPH_URL": "base address of Meta's API",
    "PREGON_HOME": "where data, secrets and logs live",
    "PREGON_LOG_FORMAT": "line, or json: one object per line, for programs",
    "PREGON_META_APP_SECRET": "secrets of the Meta apps whose webhooks are accepted, separated by commas",
    "PREGON_META_VERIFY_TOKEN": "the word Meta repeats when it checks the webhook address",
    "PREGON_METRICS_ADDRESS": "where a worker tells Prometheus about itself: 127.0.0.1:9108, or a private address",
    "PREGON_METRICS_TOKEN": "opens /metrics of the panel to whoever brings it as a bearer token; without it there is none",
    "PREGON_PUBLIC_URL": "the address people open the panel at",
    "PREGON_SECRET_KEY": "signs sessions and encrypts tokens; older keys may follow, separated by commas",
    "PREGON_SIMULATOR_URL": "address of the practice WhatsApp as the product sees it; empty: no practice mode",
    "PREGON_SUPERVISED": "set by `pregon run` for the processes it starts",
}


class Environment:
    """Reads and checks the variables of one process."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.refuse_unknown()
        self.home = Path(variables.get("PREGON_HOME") or "var").resolve()

    def refuse_unknown(self) -> None:
        for name in self.variables:
            if name.startswith("PREGON_") and name.removesuffix("_FILE") not in KNOWN:
                known = ", ".join(sorted(KNOWN))
                raise ImproperlyConfigured(f"{name} is not a variable of Pregón. The known ones are: {known}.")

    def text(self, name: str, default: str = "") -> str:
        """The value of ``name``, or the content of the file that ``name_FILE`` points to."""
        path = self.variables.get(f"{name}_FILE")
        if path:
            return Path(path).read_text().strip()
        return self.variables.get(name) or default

    def flag(self, name: str) -> bool:
        value = self.text(name, "0")
        if value not in {"0", "1"}:
            raise ImproperlyConfigured(f"{name} is {value!r}; it takes 0 or 1.")
        return value == "1"

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isdigit():
            raise ImproperlyConfigured(f"{name} is {value!r}; it takes a whole number.")
        return int(value)

    def words(self, name: str, default: str = "") -> list[str]:
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def choice(self, name: str, *choices: str) -> str:
        """One of `choices`; the first when nothing is given."""
        value = self.text(name, choices[0])
        if value not in choices:
            raise ImproperlyConfigured(f"{name} is {value!r}; it takes {' or '.join(choices)}.")
        return value

    def private_address(self, name: str) -> tuple[str, int] | None:
        """An IP address that the internet does not reach, and a port: `127.0.0.1:9108`, `[::1]:9108`."""
        value = self.text(name)
        if not value:
            return None
        host, _colon, port = value.rpartition(":")
        try:
            address = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            address = None
        if not (
            address
            and address.is_private
            and not address.is_unspecified
            and port.isdecimal()
            and 0 < int(port) < 65_536
        ):
            raise ImproperlyConfigured(
                f"{name} is {value!r}; it takes a private IP address and a port: 127.0.0.1:9108."
            )
        return str(address), int(port)

    def secret(self, name: str, file_name: str) -> str:
        """The given secret, else one made once and kept, readable by its owner alone."""
        given = self.text(name)
        return given or kept_secret(self.home / "secrets" / file_name)


def kept_secret(path: Path) -> str:
    """The content of ``path``, written with a new random value by whoever comes first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # atomic: of two processes that start at once, one value wins
        except FileExistsError:
            pass
        draft.unlink()
    return path.read_text().strip()
