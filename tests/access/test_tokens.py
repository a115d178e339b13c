"""Service tokens: brought as a bearer, bound, expired, revoked; and the configured one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.accounts import Bounds
from services.access.tokens import DAY_US, new_token
from tests.access.house import House, house


@pytest.fixture
def front(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, http_auth="tokens") as made:
        yield made


def token(front: House, *roles: str, practices: tuple[str, ...] | None = None) -> dict[str, str]:
    made, secret = new_token(lambda: front.now_us, "north", Bounds(roles, practices), 30)
    assert front.accounts.add_token(made)
    return {"authorization": f"Bearer {secret}"}


async def test_a_token_is_its_holder_and_that_it_was_used_is_kept(front: House) -> None:
    bearer = token(front, "auditor", practices=("p1",))
    async with front.browser() as client:
        assert (await client.get("/board")).status_code == 401
        front.pass_minutes(5)
        assert (await client.get("/board", headers=bearer)).json() == {"who": "token north"}
        me = await client.get("/auth/me", headers=bearer)
    assert me.json() == {"name": "token north", "roles": ["auditor"], "practices": ["p1"]}
    (kept,) = front.accounts.tokens()
    assert kept.used_at_us == front.now_us


async def test_an_expired_and_a_revoked_token_are_nothing(front: House) -> None:
    bearer = token(front, "auditor")
    began = front.now_us
    async with front.browser() as client:
        front.now_us = began + 30 * DAY_US - 1
        assert (await client.get("/board", headers=bearer)).status_code == 200
        front.now_us = began + 30 * DAY_US
        assert (await client.get("/board", headers=bearer)).status_code == 401
        front.now_us = began
        (kept,) = front.accounts.tokens()
        front.accounts.revoke(kept.id, began)
        answer = await client.get("/board", headers=bearer)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "brought",
    ["Bearer wrong", "Bearer ", "bearer", "Basic YTpi", "Bearer \xff\xfe", "", "Bearer a b"],
)
async def test_wrong_credentials_never_count_as_none(tmp_path: Path, brought: str) -> None:
    """Where everybody on this machine is let in, a wrong token still is not."""
    with house(tmp_path) as front:
        async with front.browser() as client:
            assert (await client.get("/board")).status_code == 200
            headers = {"authorization": brought.encode("latin-1")}
            answer = await client.get("/board", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401


async def test_two_authorization_headers_are_refused(front: House) -> None:
    bearer = token(front, "auditor")["authorization"]
    async with front.browser() as client:
        headers = [("authorization", bearer), ("authorization", bearer)]
        assert (await client.get("/board", headers=headers)).status_code == 401


async def test_a_refused_token_is_written_down_but_not_each_of_thousands(front: House) -> None:
    async with front.browser(authorization="Bearer guess") as client:
        for _ in range(50):
            await client.get("/board")
    noted = front.noted()
    assert {(one.what, one.user) for one in noted} == {("request refused", "unknown token")}
    assert len(noted) <= 7
    assert "guess" not in str(noted)


async def test_the_configured_token_may_what_feeds_and_subscribers_may(tmp_path: Path) -> None:
    with house(tmp_path, http_token="0123456789abcdef") as front:
        async with front.browser(authorization="Bearer 0123456789abcdef") as client:
            me = (await client.get("/auth/me")).json()
            assert (await client.get("/board")).status_code == 403
    assert me == {"name": "http token", "roles": ["integrator"], "practices": None}
