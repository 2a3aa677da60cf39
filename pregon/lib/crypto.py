"""Secrets at rest, and a "no" that is remembered without the number.

Keys are the installation's secret strings (long and random: the settings generate them). Each use derives its own key
from them, so that a hash never helps with a token.
"""

import base64
import functools
import hashlib
from collections.abc import Callable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = "v1:"


class DecryptionError(Exception):
    """The text was changed, or encrypted with a key that is no longer given: give the old key after the new one."""


def encrypt(text: str, keys: Sequence[str]) -> str:
    """ASCII text "v1:…", encrypted with the first key."""
    return _VERSION + _fernet(tuple(keys)).encrypt(text.encode()).decode()


def decrypt(token: str, keys: Sequence[str]) -> str:
    """Opens what any of the keys has encrypted; raises DecryptionError."""
    if not token.startswith(_VERSION):
        raise DecryptionError("not one of our encrypted texts")
    try:
        return _fernet(tuple(keys)).decrypt(token.removeprefix(_VERSION)).decode()
    except InvalidToken as error:
        raise DecryptionError("none of the given keys opens this text") from error


def keyed_hash(value: str, key: str) -> str:
    """HMAC-SHA256 of the value, 64 hexadecimal digits: the same number gives the same text only to who has the key."""
    return hasher(key)(value)


@functools.lru_cache(maxsize=16)
def hasher(key: str) -> Callable[[str], str]:
    """`keyed_hash` of one key, for who hashes by the million. Raises ValueError for an empty key.

    HMAC as RFC 2104 writes it, on two states of SHA-256 made once: `hmac` sets OpenSSL up again for each value, which
    takes three times as long as the hashing.
    """
    inner, outer = map(hashlib.sha256, pads(key))

    def hashed(value: str) -> str:
        within, around = inner.copy(), outer.copy()
        within.update(value.encode())
        around.update(within.digest())
        return around.hexdigest()

    return hashed


def pads(key: str) -> tuple[bytes, bytes]:
    """What `keyed_hash` hashes before the value, and before the hash of these: for who computes it elsewhere, as in SQL.

    They are the key: give them away only of a key that serves nothing else.
    """
    block = _derive(key, "keyed_hash").ljust(64, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


@functools.lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, "encrypt"))) for key in keys])


@functools.lru_cache(maxsize=16)
def _derive(key: str, use: str) -> bytes:
    if not key:
        raise ValueError("an empty key protects nothing")
    return HKDF(SHA256(), length=32, salt=None, info=f"pregon/{use}/v1".encode()).derive(key.encode())
