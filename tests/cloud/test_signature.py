"""The signature of webhooks, against the test vector that Meta's algorithm gives."""

from pregon.whatsapp.cloud import signature

SECRET = "test_app_secret"
BODY = b'{"object":"whatsapp_business_account","entry":[]}'
HEADER = "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"


def test_signs_like_meta() -> None:
    assert signature.sign(SECRET, BODY) == HEADER


def test_verifies_with_any_of_the_secrets() -> None:
    assert signature.verify([SECRET], BODY, HEADER)
    assert signature.verify(["the next one", SECRET], BODY, HEADER)


def test_refuses_other_bytes_secrets_and_headers() -> None:
    assert not signature.verify([SECRET], BODY + b" ", HEADER)
    assert not signature.verify(["another"], BODY, HEADER)
    assert not signature.verify([], BODY, HEADER)
    assert not signature.verify([SECRET], BODY, HEADER.removeprefix("sha256="))


def test_refuses_missing_and_strange_headers() -> None:
    for header in (None, "", "sha256=", "sha256=ñ", "sha1=abc", HEADER.upper()):
        assert not signature.verify([SECRET], BODY, header)


def test_an_empty_secret_proves_nothing() -> None:
    assert not signature.verify([""], BODY, signature.sign("", BODY))
