"""What an answer means for the message: how often it goes again and when, who else stops, and what is never repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.sending import verdicts
from pregon.sending.models import Status
from pregon.sending.verdicts import Halt
from pregon.whatsapp.cloud import client, codes, errors
from pregon.whatsapp.cloud.codes import Reaction

AGAIN = sorted(code for code, rule in codes.RULES.items() if rule.again)
HALTS = {
    Reaction.SLOW_DOWN: Halt.PACE,
    Reaction.PAUSE_BROADCAST: Halt.BATCH,
    Reaction.STOP_NUMBER: Halt.NUMBER,
    Reaction.REAUTHENTICATE: Halt.NUMBER,
}


def refused(code: int, attempts: int = 0, **error: float | None) -> verdicts.Verdict:
    body = {"code": code, "fbtrace_id": "Atrace", "message": f"(#{code}) of Meta's"}
    return verdicts.judge(client.Rejected(errors.ApiError(body, 400, **error)), attempts)


@given(code=st.sampled_from(AGAIN), attempts=st.integers(0, 20))
def test_it_goes_again_until_its_tries_are_used_up(code: int, attempts: int) -> None:
    rule = errors.classify(code)
    assert (refused(code, attempts).status == Status.QUEUED) == (attempts + 1 < rule.tries)


@given(code=st.sampled_from(AGAIN), data=st.data())
def test_each_wait_is_double_the_last_with_jitter_and_15_minutes_at_most(code: int, data: st.DataObject) -> None:
    rule = errors.classify(code)
    attempts = data.draw(st.integers(0, rule.tries - 2))
    longest = min(900, rule.wait * 2**attempts)
    waits = [refused(code, attempts).wait for _message in range(20)]
    assert all(longest / 2 <= wait <= longest for wait in waits)
    assert max(waits) - min(waits) > longest / 20  # a crowd does not come back at once


@given(code=st.sampled_from(AGAIN), asked=st.floats(0, 100_000))
def test_meta_may_ask_for_more_but_not_for_more_than_15_minutes(code: int, asked: float) -> None:
    assert min(asked, 900) <= refused(code, retry_after=asked).wait <= 900


@pytest.mark.parametrize("code", sorted(codes.RULES))
def test_who_else_stops(code: int) -> None:
    verdict, rule = refused(code), errors.classify(code)
    assert verdict.halt is HALTS.get(rule.reaction, Halt.NOBODY)
    assert (verdict.code, verdict.trace, verdict.reason) == (code, "Atrace", rule.sentence)
    mended = rule.reaction in codes.STOPS  # nobody fails for what the number lacks
    assert verdict.status == (Status.QUEUED if rule.again or mended else Status.FAILED)


@pytest.mark.parametrize("attempts", [0, 5])
def test_what_may_have_left_never_goes_again(attempts: int) -> None:
    crashed = errors.ApiError({"code": 131000}, 500)
    unknown = errors.ApiError({"code": 999999}, 503)
    outcomes = [client.Unanswered("TimeoutError"), client.Unanswered("", crashed), client.Unanswered("", unknown)]
    assert {verdicts.judge(outcome, attempts).status for outcome in outcomes} == {Status.UNCONFIRMED}


def test_an_unknown_code_fails_with_metas_own_words() -> None:
    verdict = refused(999999)
    assert (verdict.status, verdict.code, verdict.details) == (Status.FAILED, 999999, "(#999999) of Meta's")


def test_what_never_left_goes_again_for_as_long_as_it_takes() -> None:
    for attempts in (0, 3, 50):
        verdict = verdicts.judge(client.Unsent("ClientConnectorError"), attempts)
        assert verdict.status == Status.QUEUED and verdict.halt is Halt.LINE and 0 < verdict.wait <= 900
