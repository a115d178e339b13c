"""Signing in with a real provider: the whole flow, what is refused, rotation, signing out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from tests.access.house import PAGE, House, house, sign_in
from tests.oidc_provider import (
    BASE,
    CLIENT_ID,
    CLIENT_SECRET,
    RunningProvider,
    form_of,
    running,
    signing_key,
    through,
)

PEOPLE: dict[str, dict[str, Any]] = {
    "u-1": {"preferred_username": "ann", "roles": ["biller", "guest"], "practices": ["p1", "p2"]},
    "u-2": {"preferred_username": "bob", "roles": "admin", "practices": "*"},
    "u-3": {"preferred_username": "eve", "roles": ["guest"], "practices": ["p1"]},
    "u-4": {"preferred_username": "joe", "realm_access": {"roles": ["care-billing"]}},
}
SELF = {"origin": BASE}


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningProvider]:
    yield from running(PEOPLE)


def configured(provider: RunningProvider, **settings: Any) -> dict[str, Any]:
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        **settings,
    }


@pytest.fixture
def front(shared: RunningProvider, tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, **configured(shared)) as made:
        made.now_us = int(time.time()) * 1_000_000  # the provider's clock cannot be set
        yield made


def person() -> httpx.Client:
    """A browser at the provider's."""
    return httpx.Client(trust_env=False, timeout=20)


async def back_from(browser: httpx.AsyncClient, name: str, to: str = "/board") -> str:
    """Begin here, sign in there; the address that the provider leads back to."""
    began = await browser.get("/auth/start", params={"to": to})
    assert began.status_code == 303, began.text
    with person() as there:
        return through(there, began.headers["location"], name)


async def test_a_person_signs_in_and_is_bound_to_what_the_provider_says(front: House) -> None:
    async with front.browser() as browser:
        sent_away = await browser.get("/board?m=1", headers=PAGE)
        page = await browser.get(sent_away.headers["location"])
        assert "/auth/start?to=%2Fboard%3Fm%3D1" in page.text
        assert 'type="password"' not in page.text
        answer = await browser.get(await back_from(browser, "u-1", "/board?m=1"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/board?m=1")
        assert (await browser.get("/board")).json() == {"who": "ann"}
        me = (await browser.get("/auth/me")).json()
    assert me == {"name": "ann", "roles": ["biller"], "practices": ["p1", "p2"]}
    (noted,) = front.noted()
    assert (noted.what, noted.user) == ("sign-in", "ann")
    assert noted.wanted == {"way": "oidc", "subject": "u-1"}


async def test_a_star_is_every_practice_and_nothing_is_none(front: House) -> None:
    async with front.browser() as browser:
        await browser.get(await back_from(browser, "u-2"))
        assert (await browser.get("/auth/me")).json()["practices"] is None


async def test_what_leaves_us_asks_for_pkce_state_and_nonce(front: House) -> None:
    async with front.browser() as browser:
        began = await browser.get("/auth/start")
        again = await browser.get("/auth/start")
    asked, other = (parse_qs(urlsplit(a.headers["location"]).query) for a in (began, again))
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{BASE}/auth/callback"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) == 43
        assert asked[name] != other[name]
    (cookie,) = began.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie


async def test_without_a_role_of_ours_nobody_gets_in(front: House) -> None:
    async with front.browser() as browser:
        answer = await browser.get(await back_from(browser, "u-3"))
        assert (answer.status_code, "no place here" in answer.text) == (403, True)
        assert (await browser.get("/board")).status_code == 401
    (noted,) = front.noted()
    assert (noted.what, noted.user) == ("sign-in refused", "unknown name")


async def test_roles_may_lie_deeper_and_be_called_otherwise(
    shared: RunningProvider, tmp_path: Path
) -> None:
    named = {"oidc_roles_claim": "realm_access.roles", "oidc_roles": "care-billing=biller"}
    with house(tmp_path, **configured(shared, **named)) as front:
        front.now_us = int(time.time()) * 1_000_000
        async with front.browser() as browser:
            await browser.get(await back_from(browser, "u-4"))
            me = (await browser.get("/auth/me")).json()
    assert me == {"name": "joe", "roles": ["biller"], "practices": []}


async def test_an_answer_for_another_browser_another_time_or_nobody_is_refused(
    front: House,
) -> None:
    """Login CSRF and replay: a code signs in the browser that asked for it, and once."""
    async with front.browser() as browser, front.browser() as victim:
        address = await back_from(browser, "u-1")
        assert (await victim.get(address)).status_code == 403
        await victim.get("/auth/start")
        refused = await victim.get(address)
        assert (refused.status_code, "state" in refused.text) == (403, True)
        attempt = dict(browser.cookies)
        assert (await browser.get(address)).status_code == 303
        browser.cookies.update(attempt)
        again = await browser.get(address)
        assert (again.status_code, "takes once" in again.text) == (403, True)
        assert (await victim.get("/board")).status_code == 401


async def test_a_mixed_up_answer_is_refused(front: House) -> None:
    """Of another issuer (RFC 9207), and with another nonce or verifier than was sent."""
    async with front.browser() as browser:
        address = await back_from(browser, "u-1")
        kept = dict(browser.cookies)
        evil = address.replace("iss=http%3A%2F%2F127.0.0.1", "iss=http%3A%2F%2Fevil.example")
        assert evil != address
        answer = await browser.get(evil)
        assert (answer.status_code, "configured issuer" in answer.text) == (403, True)
        assert "caretally-attempt" not in browser.cookies
        browser.cookies.update(kept)
        from services.access.provider import Attempt

        began = Attempt.from_text(kept["caretally-attempt"])
        assert began is not None
        mixed = Attempt(began.state, "x" * 43, began.verifier, began.to)
        browser.cookies.set("caretally-attempt", mixed.text())
        answer = await browser.get(address)
        assert (answer.status_code, "nonce" in answer.text) == (403, True)


async def test_signing_out_goes_on_to_the_provider_and_comes_back(front: House) -> None:
    async with front.browser() as browser:
        began = await browser.get("/auth/start")
        with person() as there:
            await browser.get(through(there, began.headers["location"], "u-1"))
            out = await browser.post("/auth/sign-out", data={"everywhere": ""}, headers=SELF)
            end = out.headers["location"]
            assert (await browser.get("/board")).status_code == 401
            page = there.get(end)
            action, fields = form_of(page.text)
            answer = there.post(urljoin(end, action), data={**fields, "logout": "yes"})
            while not answer.headers["location"].startswith(BASE):
                answer = there.get(urljoin(end, answer.headers["location"]))
    assert answer.headers["location"].startswith(f"{BASE}/auth/signed-out")
    policy = out.headers["content-security-policy"]
    assert f"form-action 'self' {front.settings.oidc_issuer};" in policy


async def test_keys_may_change_and_withdrawn_ones_are_not_believed(tmp_path: Path) -> None:
    """Rotation: a key that was not known is asked for; the provider restarts with another one."""
    for provider in running(PEOPLE):
        with house(tmp_path, **configured(provider)) as front:
            front.now_us = int(time.time()) * 1_000_000
            async with front.browser() as browser:
                assert (await browser.get(await back_from(browser, "u-1"))).status_code == 303
                provider.stop()
                assert (await browser.get("/auth/callback?code=x")).status_code == 403
                provider.start(jwks={"keys": [signing_key("second")]})
                front.app.state.provider._keys._asked_at -= 60
                assert (await browser.get(await back_from(browser, "u-2"))).status_code == 303
                assert (await browser.get("/board")).json() == {"who": "bob"}


async def test_a_public_client_and_claims_of_userinfo_alone(tmp_path: Path) -> None:
    """Providers that keep profiles out of the ID token are asked for them."""
    public = {"token_endpoint_auth_method": "none"}
    for provider in running(PEOPLE, **public):
        provider.stop()
        provider.start(inIdToken=False)
        settings = configured(provider, oidc_client_secret="")
        with house(tmp_path, **settings) as front:
            front.now_us = int(time.time()) * 1_000_000
            async with front.browser() as browser:
                await browser.get(await back_from(browser, "u-1"))
                assert (await browser.get("/auth/me")).json()["practices"] == ["p1", "p2"]


async def test_a_provider_that_is_out_is_said_and_lets_nobody_in(tmp_path: Path) -> None:
    with house(
        tmp_path, oidc_issuer="http://127.0.0.1:9", oidc_client_id="x", http_auth="accounts"
    ) as front:
        front.add("ann", "admin")
        async with front.browser() as browser:
            answer = await browser.get("/auth/start")
            assert (answer.status_code, "does not answer" in answer.text) == (503, True)
            assert (await sign_in(browser, "ann")).status_code == 303
