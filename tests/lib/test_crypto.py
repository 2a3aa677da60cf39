"""Secrets at rest."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from pregon.lib import crypto


@given(st.text())
def test_what_goes_in_comes_out(secret: str) -> None:
    token = crypto.encrypt(secret, ["key"])
    assert token.startswith("v1:")
    assert token.isascii()
    assert crypto.decrypt(token, ["key"]) == secret


def test_the_first_key_encrypts_and_any_opens() -> None:
    old = crypto.encrypt("EAAG-token", ["old"])
    new = crypto.encrypt("EAAG-token", ["new", "old"])
    assert crypto.decrypt(old, ["new", "old"]) == "EAAG-token"
    assert crypto.decrypt(new, ["new"]) == "EAAG-token"


@pytest.mark.parametrize(
    "damage", [lambda token: token[:-2] + "AA", lambda token: token[3:], lambda _token: "v1:", lambda _token: ""]
)
def test_a_changed_text_is_refused(damage) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(crypto.DecryptionError):
        crypto.decrypt(damage(crypto.encrypt("EAAG-token", ["key"])), ["key"])


def test_another_key_does_not_open() -> None:
    with pytest.raises(crypto.DecryptionError, match="none of the given keys"):
        crypto.decrypt(crypto.encrypt("EAAG-token", ["key"]), ["other"])


def test_a_keyed_hash_is_stable_and_belongs_to_its_key() -> None:
    hashed = crypto.keyed_hash("+522225550142", "key")
    assert hashed == crypto.keyed_hash("+522225550142", "key")
    assert len(hashed) == 64
    assert hashed != crypto.keyed_hash("+522225550142", "other")
    assert hashed != crypto.keyed_hash("+522225550143", "key")


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_keyed_hash_is_the_hmac_of_a_derived_key(value: str, key: str) -> None:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"pregon/keyed_hash/v1").derive(key.encode())
    assert crypto.keyed_hash(value, key) == hmac.new(derived, value.encode(), hashlib.sha256).hexdigest()
    assert crypto.hasher(key)(value) == crypto.keyed_hash(value, key)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="empty key"):
        crypto.keyed_hash("+522225550142", "")
    with pytest.raises(ValueError, match="empty key"):
        crypto.encrypt("token", [""])
