"""Every route of the whole application, as every role, as nobody, and from another practice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.access import OPEN, SIGNED_IN, Right, Role
from services.access.principal import RIGHTS
from tests.access.whole import MARK, PATIENT, Whole, filled, whole

PROBES = ("/livez", "/readyz")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("whole")) as made:
        yield made


async def test_nobody_gets_anything_but_what_is_open(asked: Whole) -> None:
    for (path, method), need in asked.needs.items():
        answer = await asked.ask(method, filled(path))
        assert (answer.status == 401) == (need is not OPEN), (path, method, answer)
        if need is not OPEN:
            assert answer.headers["content-type"] == "application/problem+json"
            page = await asked.ask(method, filled(path), accept="text/html")
            assert page.status == 303
            assert page.headers["location"].startswith("/auth/sign-in?to=")


async def test_a_path_that_is_not_there_tells_nobody_so(asked: Whole) -> None:
    for path in ("/nothing", "/api/v1/nothing", "/livez/", "//livez", "/board/p1/2025-03/x/y"):
        assert (await asked.ask("GET", path)).status in (401, 404), path
    assert (await asked.ask("GET", "/nothing")).status == 401


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_gets_what_its_rights_allow_and_hears_what_is_missing(
    asked: Whole, role: Role
) -> None:
    token = asked.token(role)
    for (path, method), need in asked.needs.items():
        answer = await asked.ask(method, filled(path), token)
        may = need in (OPEN, SIGNED_IN) or need in RIGHTS[role]
        if may:
            assert answer.status not in (401, 403), (path, method, answer)
            assert answer.status < 500 or path in PROBES, (path, method, answer)
        else:
            assert answer.status == 403, (path, method, answer)
            assert answer.json()["right"] == need


async def test_a_token_without_roles_is_known_and_may_nothing(asked: Whole) -> None:
    token = asked.token()
    for (path, method), need in asked.needs.items():
        answer = await asked.ask(method, filled(path), token)
        assert (answer.status == 403) == isinstance(need, Right), (path, method, answer)


async def test_another_practice_sees_nothing_of_this_one(asked: Whole) -> None:
    """Asked by name it is not there (404), asked for all it is not among them; the same request
    by the practice's own people shows it, so that the silence means something."""
    ours, theirs = asked.token(Role.ADMIN), asked.token(Role.ADMIN, practices=("p2",))
    nowhere = asked.token(Role.ADMIN, practices=())
    shown = set()
    for (path, method), need in asked.needs.items():
        if method != "GET" or need in (OPEN, SIGNED_IN, Right.WATCH):
            continue
        plain = filled(path)
        for place in (plain, f"{plain}{'&' if '?' in plain else '?'}practice=p1"):
            found = await asked.ask(method, place, ours)
            if "{practice" in path and place == plain:
                assert found.status == 200, (place, found)
            if found.status == 200 and (MARK.encode() in found.body or b"pt-of" in found.body):
                shown.add(path)
            for token in (theirs, nowhere):
                answer = await asked.ask(method, place, token)
                assert answer.status in (200, 303, 307, 400, 404), (place, answer)
                if "{practice" in path and place == plain:
                    assert answer.status == 404, (place, answer)
                assert MARK.encode() not in answer.body, (place, answer)
                if PATIENT not in place:
                    assert PATIENT.encode() not in answer.body, (place, answer)
    assert len(shown) >= 3, shown


async def test_writes_for_another_practice_change_nothing(asked: Whole) -> None:
    theirs = asked.token(Role.ADMIN, practices=("p2",))
    before = asked.parts.store.head()
    for (path, method), need in asked.needs.items():
        if method == "GET" or need is OPEN:
            continue
        answer = await asked.ask(method, filled(path), theirs, b"{}")
        if "{practice" in path or "{site}" in path:
            assert answer.status == 404, (path, method, answer)
    assert asked.parts.store.head() == before
