"""What other sites make browsers send does not get through; what browsers are told of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.access.limits import KEYS_MAX, Rate, Tries
from tests.access.house import House, house, sign_in


@pytest.fixture
def front(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.add("ann", "admin")
        yield made


OTHER = {"origin": "https://evil.example"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://localhost:8080"}, 200),
        ({"origin": "http://localhost:8080", "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        (OTHER, 403),
        ({"origin": "http://localhost:9999"}, 403),
        ({"origin": "http://localhost:8080", "sec-fetch-site": "same-site"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({}, 403),
        ({"origin": "http://localhost:8080.evil.example"}, 403),
    ],
)
async def test_with_a_session_only_our_own_pages_change_anything(
    front: House, headers: dict[str, str], status: int
) -> None:
    async with front.browser() as browser:
        await sign_in(browser, "ann")
        assert (await browser.post("/close", headers=headers)).status_code == status
        assert (await browser.get("/board", headers=OTHER)).status_code == 200


async def test_another_site_signs_nobody_in_and_nobody_out(front: House) -> None:
    async with front.browser() as browser:
        fields = {"name": "ann", "password": "correct horse battery"}
        assert (await browser.post("/auth/sign-in", data=fields, headers=OTHER)).status_code == 403
        await sign_in(browser, "ann")
        assert (
            await browser.post("/auth/sign-out", data={"everywhere": ""}, headers=OTHER)
        ).status_code == 403
        assert (await browser.get("/board")).status_code == 200


async def test_where_nobody_signs_in_other_sites_change_nothing_either(tmp_path: Path) -> None:
    """A program that sends no origin does; a page in a browser on this machine does not."""
    with house(tmp_path) as front:
        async with front.browser() as client:
            assert (await client.post("/close")).status_code == 200
            assert (await client.post("/close", headers=OTHER)).status_code == 403


@pytest.mark.parametrize(
    ("base", "status"),
    [
        ("http://127.0.0.1:8080", 200),
        ("http://[::1]:8080", 200),
        ("http://localhost", 200),
        ("http://LOCALHOST:1", 200),
        ("http://evil.example:8080", 421),
        ("http://localhost.evil.example", 421),
        ("http://127.0.0.1.nip.example", 421),
        ("http://192.0.2.7:8080", 421),
    ],
)
async def test_on_loopback_only_its_own_names_are_answered(
    tmp_path: Path, base: str, status: int
) -> None:
    """A name of somebody else's that was turned into our address (DNS rebinding) is not."""
    with house(tmp_path) as front:
        async with front.browser(base) as client:
            assert (await client.get("/board")).status_code == status
            assert (await client.get("/livez")).status_code == 200


async def test_requests_without_one_host_are_refused(tmp_path: Path) -> None:
    with house(tmp_path) as front:
        async with front.browser() as client:
            both = [("host", "localhost"), ("host", "evil.example")]
            assert (await client.get("/board", headers=both)).status_code == 400


@pytest.mark.parametrize("host", ["care.example", "feeds.example", "localhost"])
async def test_configured_names_are_answered_and_no_others(tmp_path: Path, host: str) -> None:
    public = {"http_url": "https://care.example", "http_names": "feeds.example, other.example"}
    with house(tmp_path, http_auth="tokens", **public) as front:
        async with front.browser(f"https://{host}") as client:
            assert (await client.get("/board")).status_code == 401
        async with front.browser("https://evil.example") as client:
            assert (await client.get("/board")).status_code == 421


async def test_browsers_are_told_what_our_pages_may(front: House, tmp_path: Path) -> None:
    async with front.browser() as browser:
        for path in ("/auth/sign-in", "/board", "/nowhere", "/livez"):
            headers = (await browser.get(path)).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'self';")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert "strict-transport-security" not in headers
        await sign_in(browser, "ann")
        assert (await browser.get("/board")).headers["cache-control"] == "no-store"
    with house(tmp_path, http_url="https://care.example", http_auth="tokens") as public:
        async with public.browser("https://care.example") as browser:
            answer = await browser.get("/auth/sign-in")
    assert "max-age=63072000" in answer.headers["strict-transport-security"]


async def test_a_principal_that_asks_too_often_waits(tmp_path: Path) -> None:
    with house(tmp_path, http_requests_per_minute=10) as front:
        front.add("ann", "admin")
        front.add("bob", "admin")
        async with front.browser() as ann, front.browser() as bob:
            await sign_in(ann, "ann")
            await sign_in(bob, "bob")
            answers: list[httpx.Response] = [await ann.get("/board") for _ in range(12)]
            assert (await bob.get("/board")).status_code == 200
    assert [a.status_code for a in answers] == [200] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_what_limits_remember_is_bounded() -> None:
    now = 0.0
    rate, tries = Rate(60, lambda: now), Tries(2, lambda: now)
    for key in range(KEYS_MAX + 500):
        assert rate.wait(key) == 0
        tries.failed(key)
    assert len(rate.seen) == len(tries.seen) == KEYS_MAX


def test_a_rate_fills_up_again_and_never_beyond_its_minute() -> None:
    now = 0.0
    rate = Rate(2, lambda: now)
    assert [rate.wait("a"), rate.wait("a")] == [0, 0]
    assert rate.wait("a") == pytest.approx(30)
    now = 30.0
    assert rate.wait("a") == 0
    assert rate.wait("a") > 0
    now = 10_000.0
    assert [rate.wait("a"), rate.wait("a")] == [0, 0]
    assert rate.wait("a") > 0


def test_waits_double_have_an_end_and_are_forgotten() -> None:
    now = 0.0
    tries = Tries(3, lambda: now)
    waits = []
    for _ in range(20):
        tries.failed("ann")
        waits.append(tries.wait("ann"))
    assert waits[:6] == [0, 0, 1, 2, 4, 8]
    assert max(waits) == 900
    tries.passed("ann")
    assert tries.wait("ann") == 0
    for _ in range(9):
        tries.failed("bob")
    now = 4000.0
    assert tries.wait("bob") == 0
    tries.failed("bob")
    assert tries.wait("bob") == 0
