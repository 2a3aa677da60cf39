"""What each error means for us: the whole of Meta's table, when sending and in a webhook."""

from collections.abc import Iterable

import pytest
from django.utils import translation
from django.utils.translation import gettext

from pregon.whatsapp.cloud import codes, errors
from pregon.whatsapp.cloud.codes import Rule
from pregon.whatsapp.cloud.errors import Mark, Reaction

AUTH = Reaction.REAUTHENTICATE
STOP = Reaction.STOP_NUMBER
PAUSE = Reaction.PAUSE_BROADCAST
RETRY = Reaction.RETRY
PAIR = Reaction.RETRY_PAIR
SLOW = Reaction.SLOW_DOWN
NEVER = Reaction.NEVER
CONTACT = Reaction.CONTACT
DOUBT = Reaction.UNCONFIRMED

# Every entry of Meta's list of error codes, in its order: the codes it stands for (of a range: its ends and one within), what we
# do when a request to send is answered with it, how many times a message is sent at most, and what we do when a webhook reports
# it, which says for certain that the message did not arrive.
TABLE: tuple[tuple[tuple[int, ...], Reaction, int, Reaction], ...] = (
    ((0,), AUTH, 1, AUTH),
    ((1,), RETRY, 3, NEVER),
    ((2,), RETRY, 6, NEVER),
    ((3,), PAUSE, 1, PAUSE),
    ((4,), SLOW, 8, NEVER),
    ((10,), STOP, 1, STOP),
    ((33,), STOP, 1, STOP),
    ((100,), NEVER, 1, NEVER),
    ((190,), AUTH, 1, AUTH),
    ((200, 230, 299), STOP, 1, STOP),
    ((368,), STOP, 1, STOP),
    ((613,), SLOW, 8, NEVER),
    ((80007,), SLOW, 8, NEVER),
    ((130403,), CONTACT, 1, CONTACT),
    ((130429,), SLOW, 8, NEVER),
    ((130472,), NEVER, 1, NEVER),
    ((130497,), NEVER, 1, NEVER),  # stops a country, not the number: whoever lives elsewhere still gets it
    ((131000,), DOUBT, 1, NEVER),  # Meta says try again; we do not, for it may have left
    ((131005,), STOP, 1, STOP),
    ((131008,), NEVER, 1, NEVER),
    ((131009,), NEVER, 1, NEVER),
    ((131016,), RETRY, 6, NEVER),
    ((131020, 131041, 131200, 131205, 131299), NEVER, 1, NEVER),
    ((131021,), CONTACT, 1, CONTACT),
    ((131026,), CONTACT, 1, CONTACT),
    ((131030,), PAUSE, 1, PAUSE),
    ((131031,), STOP, 1, STOP),
    ((131037,), STOP, 1, STOP),
    ((131042,), STOP, 1, STOP),
    ((131044,), NEVER, 1, NEVER),
    ((131045,), STOP, 1, STOP),
    ((131047,), NEVER, 1, NEVER),
    ((131048,), STOP, 1, STOP),
    ((131049,), CONTACT, 1, CONTACT),
    ((131050,), CONTACT, 1, CONTACT),
    ((131051,), NEVER, 1, NEVER),
    ((131052,), NEVER, 1, NEVER),  # a person may retry it once the file is there
    ((131053,), PAUSE, 1, PAUSE),
    ((131055,), PAUSE, 1, PAUSE),
    ((131056,), PAIR, 6, NEVER),
    ((131057,), RETRY, 8, NEVER),
    ((131059,), NEVER, 1, NEVER),  # about lists, not messages
    ((131061,), PAUSE, 1, PAUSE),
    ((131062,), NEVER, 1, NEVER),
    ((131063,), PAUSE, 1, PAUSE),
    ((131064,), STOP, 1, STOP),
    ((132000,), PAUSE, 1, PAUSE),
    ((132001,), PAUSE, 1, PAUSE),
    ((132005,), NEVER, 1, NEVER),
    ((132007,), PAUSE, 1, PAUSE),
    ((132008,), NEVER, 1, NEVER),
    ((132012,), PAUSE, 1, PAUSE),
    ((132015,), PAUSE, 1, PAUSE),
    ((132016,), PAUSE, 1, PAUSE),
    ((132018,), NEVER, 1, NEVER),  # in one person's values; if it is everybody's, the share of failures pauses
    ((132068, 132069), PAUSE, 1, PAUSE),
    ((133000,), STOP, 1, STOP),
    ((133004,), RETRY, 6, NEVER),
    ((133005,), STOP, 1, STOP),
    ((133006,), STOP, 1, STOP),
    ((133008, 133009), STOP, 1, STOP),
    ((133010,), STOP, 1, STOP),
    ((133015,), STOP, 1, STOP),
    ((133016,), STOP, 1, STOP),
    ((134011,), PAUSE, 1, PAUSE),
    ((134100,), PAUSE, 1, PAUSE),
    ((134101,), RETRY, 5, NEVER),
    ((134102,), PAUSE, 1, PAUSE),
    ((135000,), NEVER, 1, NEVER),
    ((137000,), CONTACT, 1, CONTACT),
    ((138000, 138012, 138999, 139000, 139100, 139103), NEVER, 1, NEVER),
    ((141000, 141001, 141999), NEVER, 1, NEVER),  # the health of an account, never an answer to a message
    ((147001, 147003, 147005), NEVER, 1, NEVER),
    ((200005, 200006, 200007), NEVER, 1, NEVER),
    ((1752041,), NEVER, 1, NEVER),
    ((803,), PAUSE, 1, PAUSE),
    ((2494100,), RETRY, 8, NEVER),
)
# Of the same entries, those whose own codes say more
HEALTH = {141002: PAUSE, 141006: STOP, 141010: STOP, 141014: STOP}
SUBCODES = {
    (100, 33): STOP,
    (100, 2388024): NEVER,
    (190, 460): AUTH,
    (190, 463): AUTH,
    (190, 467): AUTH,
    (131009, 2494010): CONTACT,
    (131030, 2655007): PAUSE,
}
MARKS = {
    130403: Mark.BLOCKED,
    131021: Mark.BAD_NUMBER,
    131026: Mark.NO_WHATSAPP,
    131049: Mark.WAIT_META,
    131050: Mark.OPTED_OUT,
    137000: Mark.BAD_NUMBER,
}
EACH = [pytest.param(code, *row[1:], id=str(code)) for row in TABLE for code in row[0]]
CODES = [code for row in TABLE for code in row[0]] + list(HEALTH)


def rules() -> Iterable[Rule]:
    return [*codes.RULES.values(), *codes.SUBCODES.values(), codes.UNKNOWN, codes.UNKNOWN_CRASH]


def test_the_table_is_whole() -> None:
    assert len(TABLE) == 77
    assert set(codes.RULES) <= set(CODES)  # and we know of no other code


@pytest.mark.parametrize(("code", "sending", "tries", "reported"), EACH)
def test_what_is_done(code: int, sending: Reaction, tries: int, reported: Reaction) -> None:
    answered, told = errors.classify(code), errors.classify(code, asynchronous=True)
    assert (answered.reaction, answered.tries, told.reaction) == (sending, tries, reported)
    assert (told.tries, told.wait) == (1, 0)
    assert answered is not codes.UNKNOWN


@pytest.mark.parametrize(("code", "reaction"), HEALTH.items())
def test_what_the_health_of_an_account_says(code: int, reaction: Reaction) -> None:
    assert errors.classify(code).reaction is errors.classify(code, asynchronous=True).reaction is reaction


@pytest.mark.parametrize(("code", "subcode"), SUBCODES)
def test_what_a_subcode_says(code: int, subcode: int) -> None:
    assert errors.classify(code, subcode).reaction is SUBCODES[code, subcode]


@pytest.mark.parametrize("code", CODES)
def test_what_it_tells_about_the_person(code: int) -> None:
    for asynchronous in (False, True):
        rule = errors.classify(code, asynchronous=asynchronous)
        assert rule.mark is MARKS.get(code)
        assert (rule.reaction is CONTACT) == (rule.mark is not None)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.title)
def test_how_often_and_when_it_is_sent_again(rule: Rule) -> None:
    assert (rule.tries > 1) == (rule.wait > 0) == rule.again
    assert 1 <= rule.tries <= 8 and 0 <= rule.wait <= 900


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.title)
def test_it_has_words_in_both_languages(rule: Rule) -> None:
    for words in (rule.sentence, rule.step):
        assert words and "!" not in words
        with translation.override("en"):
            assert gettext(words) not in ("", words), f"no English for «{words}»"


def test_a_subcode_that_is_not_known_changes_nothing() -> None:
    assert errors.classify(100, 12345) == errors.classify(100)
    assert errors.classify(131009, 2494010).mark is Mark.BAD_NUMBER


def test_what_was_reported_can_be_tried_again_by_a_person_where_it_passes() -> None:
    for code in (1, 130429, 131000, 131016, 131056):
        told = errors.classify(code, http=500, asynchronous=True)
        assert told.retry_can_help and told.step == codes.LATER


def test_a_retry_can_help_with_the_cap_but_not_with_an_opt_out() -> None:
    assert errors.classify(131049, asynchronous=True).retry_can_help
    assert not errors.classify(131050, asynchronous=True).retry_can_help


@pytest.mark.parametrize("code", [-7, 7, 131001, 131999, 140999, 142000, 999999])
def test_unknown_codes_never_go_again(code: int) -> None:
    assert errors.classify(code, http=400) is codes.UNKNOWN
    assert errors.classify(code, http=500).reaction is DOUBT
    assert errors.classify(code, http=500, asynchronous=True).reaction is NEVER


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


def test_metas_own_words_are_kept_wherever_they_stand() -> None:
    assert errors.ApiError({"code": 999999, "message": "(#999999) News"}, 400).details == "(#999999) News"
    assert errors.ApiError({"code": 100, "message": "x", "error_user_msg": "Too long"}, 400).details == "Too long"


def test_an_error_without_a_code_is_not_metas_code_zero() -> None:
    for body in ({}, {"code": "x"}, {"code": None, "error_data": "text"}, {"code": [1]}):
        assert errors.ApiError(body, 400).rule is codes.UNKNOWN
