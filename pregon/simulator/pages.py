"""Lists and fields as Graph API gives them."""

from starlette.requests import Request

from pregon.simulator import refusals
from pregon.simulator.world import Json


def page(request: Request, items: list[Json], given: Json) -> Json:
    """A page of a list. Cursors are opaque to callers; `paging.next` stands only where another page exists."""
    start, size = _cursor(str(given.get("after", ""))), _size(given)
    part = items[start : start + size]
    paging: Json = {"cursors": {"before": f"QVFI{start}Z", "after": f"QVFI{start + len(part)}Z"}}
    if start + size < len(items):
        paging["next"] = str(request.url.include_query_params(after=paging["cursors"]["after"]))
    return {"data": [chosen(item, given) for item in part]} | ({"paging": paging} if part else {})


def chosen(shown: Json, given: Json) -> Json:
    """The id and the fields that were asked for; all when none were."""
    wanted = fields(str(given.get("fields", "")))
    return {name: value for name, value in shown.items() if not wanted or name in wanted or name == "id"}


def _size(given: Json) -> int:
    limit = str(given.get("limit", ""))
    return min(int(limit), 1000) if limit.isdecimal() and int(limit) else 25


def _cursor(after: str) -> int:
    if not after:
        return 0
    middle = after[4:-1]
    if not (after.startswith("QVFI") and middle.isdecimal()):
        raise refusals.Refusal(131059, "(#131059) Invalid cursor", details="The cursor is not valid")
    return int(middle)


def fields(text: str) -> set[str]:
    """Top-level names of `a,b{c,d},e.limit(1)`."""
    depth, names = 0, [""]
    for character in text:
        depth += (character in "{(") - (character in "})")
        if character == "," and not depth:
            names.append("")
        else:
            names[-1] += character
    return {name.partition("{")[0].partition(".")[0].strip() for name in names} - {""}
