"""The address of a case for who has no seat in a business: signed, shown to whoever reports, sent to the e-mail given."""

from django.core import signing

from pregon.support.models import Case

SIGNER = signing.Signer(salt="support.case")


def write(case: Case) -> str:
    """What opens the case without signing in."""
    return SIGNER.sign_object(case.pk)


def read(key: str) -> Case | None:
    """The case that `key` opens; None when we did not sign it, or the case is gone."""
    try:
        pk = SIGNER.unsign_object(key)
    except signing.BadSignature:
        return None
    return Case.objects.filter(pk=pk).first()
