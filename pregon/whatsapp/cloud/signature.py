"""The signature of a webhook: `X-Hub-Signature-256: sha256=<hex HMAC-SHA256(app secret, raw body)>`.

Always over the bytes as they came: Meta escapes non-ASCII as \\uXXXX, so a body parsed and written again differs.
"""

import hmac
from collections.abc import Iterable

HEADER = "X-Hub-Signature-256"
PREFIX = "sha256="


def sign(secret: str, raw: bytes) -> str:
    """The header's value for these bytes."""
    return PREFIX + hmac.digest(secret.encode(), raw, "sha256").hex()


def verify(secrets: Iterable[str], raw: bytes, header: str | None) -> bool:
    """Whether one of the app secrets (several while one is being replaced) signed these bytes. Constant time."""
    given = (header or "").strip().encode("utf-8", "replace")
    matches = [hmac.compare_digest(sign(secret, raw).encode(), given) for secret in secrets if secret]
    return any(matches)
