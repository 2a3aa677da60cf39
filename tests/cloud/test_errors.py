"""What each error means for us."""

import pytest

from pregon.whatsapp.cloud import codes, errors
from pregon.whatsapp.cloud.errors import Mark, Reaction

# Every code and range of Meta's table, and the reactions that sending depends on
AGAIN = (1, 2, 4, 613, 80007, 130429, 131016, 131056, 131057, 133004, 134101, 2494100)
STOPPED = (0, 10, 33, 190, 200, 368, 131005, 131031, 131037, 131042, 131045, 131048, 131064, 133010)
PAUSED = (3, 131030, 131053, 131055, 131063, 132000, 132001, 132007, 132012, 132015, 132016, 132068, 132069, 134102)
NEVER = (100, 130472, 131008, 131009, 131047, 131051, 132005, 132008, 132018, 135000)
MARKED = {
    130403: Mark.BLOCKED,
    131021: Mark.BAD_NUMBER,
    131026: Mark.NO_WHATSAPP,
    131049: Mark.WAIT_META,
    131050: Mark.OPTED_OUT,
    137000: Mark.BAD_NUMBER,
}
OTHERS = (
    130497,
    131020,
    131041,
    131044,
    131052,
    131059,
    131061,
    131062,
    133000,
    133005,
    133006,
    133008,
    133009,
    133015,
    133016,
    134011,
    134100,
    138001,
    139103,
    141002,
    141006,
    141010,
    141014,
    147003,
    200006,
    1752041,
    803,
    131205,
)


@pytest.mark.parametrize("code", AGAIN)
def test_only_the_retry_set_goes_again(code: int) -> None:
    rule = errors.classify(code)
    assert rule.again and rule.tries > 1 and rule.wait > 0


@pytest.mark.parametrize("code", STOPPED)
def test_what_stops_the_number(code: int) -> None:
    assert errors.classify(code).reaction in codes.STOPS


@pytest.mark.parametrize("code", PAUSED)
def test_what_pauses_the_broadcast(code: int) -> None:
    assert errors.classify(code).reaction is Reaction.PAUSE_BROADCAST


@pytest.mark.parametrize("code", NEVER)
def test_what_concerns_one_message(code: int) -> None:
    assert errors.classify(code).reaction is Reaction.NEVER


@pytest.mark.parametrize(("code", "mark"), MARKED.items())
def test_what_concerns_the_person(code: int, mark: Mark) -> None:
    rule = errors.classify(code, asynchronous=True)
    assert rule.reaction is Reaction.CONTACT and rule.mark is mark


@pytest.mark.parametrize("code", [*AGAIN, *STOPPED, *PAUSED, *NEVER, *MARKED, *OTHERS, 131000])
def test_every_documented_code_has_words(code: int) -> None:
    rule = errors.classify(code)
    assert rule is not codes.UNKNOWN
    assert rule.sentence and rule.step and "!" not in rule.sentence + rule.step


def test_an_internal_error_is_unconfirmed_when_sending_and_certain_in_a_webhook() -> None:
    assert errors.classify(131000, http=500).reaction is Reaction.UNCONFIRMED
    told = errors.classify(131000, http=500, asynchronous=True)
    assert told.reaction is Reaction.NEVER and told.retry_can_help


def test_unknown_codes_never_go_again() -> None:
    assert errors.classify(999999, http=400).reaction is Reaction.NEVER
    assert errors.classify(999999, http=500).reaction is Reaction.UNCONFIRMED


def test_nothing_from_a_webhook_goes_again() -> None:
    known = [errors.classify(code, asynchronous=True) for code in codes.RULES]
    assert not any(rule.again or rule.reaction is Reaction.UNCONFIRMED for rule in known)


def test_a_subcode_says_more() -> None:
    assert errors.classify(131009, 2494010).mark is Mark.BAD_NUMBER
    assert errors.classify(100, 33).reaction is Reaction.STOP_NUMBER
    assert errors.classify(100, 12345) == errors.classify(100)


def test_a_retry_can_help_with_the_cap_but_not_with_an_opt_out() -> None:
    assert errors.classify(131049, asynchronous=True).retry_can_help
    assert not errors.classify(131050, asynchronous=True).retry_can_help


def test_an_api_error_keeps_what_a_case_needs() -> None:
    error = errors.ApiError(
        {
            "message": "(#132000) …",
            "code": 132000,
            "fbtrace_id": "Az8",
            "error_subcode": 2494055,
            "error_data": {"details": "body: number of localizable_params (1)"},
        },
        400,
    )
    assert (error.code, error.subcode, error.fbtrace_id, error.http) == (132000, 2494055, "Az8", 400)
    assert error.details.startswith("body") and error.details not in str(error)


def test_an_error_without_a_code_is_not_metas_code_zero() -> None:
    for body in ({}, {"code": "x"}, {"code": None, "error_data": "text"}, {"code": [1]}):
        assert errors.ApiError(body, 400).rule is codes.UNKNOWN
