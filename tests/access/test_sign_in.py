"""Local accounts: signing in and out, sessions and their ends, guesses, and what is noted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.accounts import ACCOUNT, Bounds
from services.access.secrets import digest
from services.access.signing import NAME_TRIES
from tests.access.house import PAGE, PASSWORD, House, house, sign_in


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


@pytest.fixture
def front(open_house: House) -> House:
    open_house.add("ann", "biller", practices=("p1",))
    return open_house


SELF = {"origin": "http://localhost:8080"}


async def test_everybody_here_is_let_in_until_somebody_has_an_account(open_house: House) -> None:
    async with open_house.browser() as browser:
        assert (await browser.get("/board")).json() == {"who": "this machine"}
    open_house.add("ann", "biller")
    with_account = House(open_house.settings.database)
    async with with_account.browser() as browser:
        assert (await browser.get("/board")).status_code == 401
        open_house.accounts.set_disabled("ann", True)
        assert (await browser.get("/board")).status_code == 401
    with_account.store.close()


async def test_signing_in_leads_on_to_where_one_wanted_to_be(front: House) -> None:
    async with front.browser() as browser:
        sent_away = await browser.get("/board?m=1", headers=PAGE)
        form = await browser.get(sent_away.headers["location"])
        assert 'value="/board?m=1"' in form.text
        answer = await sign_in(browser, "Ann ", to="/board?m=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/board?m=1")
        assert (await browser.get("/board")).json() == {"who": "ann"}
        me = await browser.get("/auth/me")
        assert me.json() == {"name": "ann", "roles": ["biller"], "practices": ["p1"]}


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "x", "/auth/me"]
)
async def test_signing_in_never_leads_away_from_here(front: House, to: str) -> None:
    async with front.browser() as browser:
        assert (await sign_in(browser, "ann", to=to)).headers["location"] == "/"


async def test_the_cookie_is_kept_from_scripts_and_other_sites(
    front: House, tmp_path: Path
) -> None:
    async with front.browser() as browser:
        (cookie,) = (await sign_in(browser, "ann")).headers.get_list("set-cookie")
    assert cookie.startswith("caretally=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    with house(tmp_path, http_url="https://care.example", http_auth="accounts") as public:
        async with public.browser("https://care.example") as browser:
            answer = await sign_in(browser, "ann")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-caretally=")
    assert {"Secure", "Path=/", "HttpOnly"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_a_session_that_was_planted_is_not_taken_over(front: House) -> None:
    """Fixation: what a browser held before is ended, and what it gets is new."""
    async with front.browser() as attacker, front.browser() as victim:
        await sign_in(attacker, "ann")
        planted = attacker.cookies["caretally"]
        victim.cookies.set("caretally", planted, domain="localhost.local")
        front.add("bob", "admin")
        await sign_in(victim, "bob")
        mine = [c.value for c in victim.cookies.jar]
        assert any(value != planted for value in mine)
        assert front.accounts.session(digest(planted)) is None
        assert (await attacker.get("/board")).status_code == 401


async def test_sessions_lie_in_the_database_as_digests_alone(front: House) -> None:
    async with front.browser() as browser:
        await sign_in(browser, "ann")
        secret = browser.cookies["caretally"]
    whole = Path(front.settings.database.removeprefix("sqlite:///"))
    bytes_of = whole.read_bytes() + Path(f"{whole}-wal").read_bytes()
    assert secret.encode() not in bytes_of
    assert PASSWORD.encode() not in bytes_of
    assert digest(secret) in bytes_of


async def test_a_session_ends_when_it_is_idle_and_at_the_latest_after_its_hours(
    front: House,
) -> None:
    async with front.browser() as browser:
        await sign_in(browser, "ann")
        front.pass_minutes(29)
        assert (await browser.get("/board")).status_code == 200
        front.pass_minutes(29)
        assert (await browser.get("/board")).status_code == 200
        front.pass_minutes(30)
        assert (await browser.get("/board")).status_code == 401
        await sign_in(browser, "ann")
        for _ in range(12 * 3 - 1):
            front.pass_minutes(20)
            assert (await browser.get("/board")).status_code == 200
        front.pass_minutes(20)
        assert (await browser.get("/board")).status_code == 401


async def test_signing_out_ends_the_session_here_and_if_wished_everywhere(front: House) -> None:
    async with front.browser() as one, front.browser() as other, front.browser() as third:
        for browser in (one, other, third):
            await sign_in(browser, "ann")
        kept = one.cookies["caretally"]
        answer = await one.post("/auth/sign-out", data={"everywhere": ""}, headers=SELF)
        assert (answer.status_code, answer.headers["location"]) == (303, "/auth/signed-out")
        assert "caretally" not in one.cookies
        one.cookies.set("caretally", kept)
        assert (await one.get("/board")).status_code == 401
        assert (await other.get("/board")).status_code == 200
        await other.post("/auth/sign-out", data={"everywhere": "yes"}, headers=SELF)
        assert (await third.get("/board")).status_code == 401


async def test_disabling_an_account_ends_its_sessions_at_once(front: House) -> None:
    async with front.browser() as browser:
        await sign_in(browser, "ann")
        front.accounts.set_disabled("ann", True)
        assert (await browser.get("/board")).status_code == 401
        assert (await sign_in(browser, "ann")).status_code == 403
        front.accounts.set_disabled("ann", False)
        assert (await browser.get("/board")).status_code == 401
        assert (await sign_in(browser, "ann")).status_code == 303


async def test_other_roles_hold_from_the_next_request_on(front: House) -> None:
    async with front.browser() as browser:
        await sign_in(browser, "ann")
        assert (await browser.post("/close", headers=SELF)).status_code == 200
        front.accounts.set_bounds("ann", Bounds(("auditor",)))
        refused = await browser.post("/close", headers=SELF)
        assert (refused.status_code, refused.json()["right"]) == (403, "close")


async def test_who_guesses_waits_longer_each_time_whatever_the_name(front: House) -> None:
    for name in ("ann", "nobody-of-that-name"):
        async with front.browser() as browser:
            for _ in range(NAME_TRIES):
                answer = await sign_in(browser, name, "wrong password")
                assert (answer.status_code, "not known here" in answer.text) == (403, True)
            held = await sign_in(browser, name, PASSWORD)
            assert held.status_code == 429
            assert int(held.headers["retry-after"]) >= 1


async def test_a_wrong_name_and_a_wrong_password_answer_alike(front: House) -> None:
    async with front.browser() as browser:
        pages = [(await sign_in(browser, name, "wrong password")).text for name in ("ann", "eve")]
    assert pages[0].replace("ann", "eve") == pages[1]


async def test_what_was_typed_comes_back_as_text(front: House) -> None:
    async with front.browser() as browser:
        answer = await sign_in(browser, '"><script>alert(1)</script>', "wrong password")
    assert "<script>alert" not in answer.text


async def test_sign_ins_refusals_and_sign_outs_are_written_down(front: House) -> None:
    async with front.browser() as browser:
        await sign_in(browser, "ann", "wrong password")
        await sign_in(browser, "my-secret-pass", "typed into the wrong field")
        await sign_in(browser, "ann")
        front.accounts.set_bounds("ann", Bounds(("auditor",)))
        await browser.post("/close", headers=SELF)
        await browser.post("/auth/sign-out", data={"everywhere": ""}, headers=SELF)
    noted = [(one.what, one.user, one.wanted.get("why")) for one in front.noted()]
    assert noted == [
        ("sign-in refused", "ann", "wrong name or password"),
        ("sign-in refused", "unknown name", "wrong name or password"),
        ("sign-in", "ann", None),
        ("request refused", "ann", "the right close is not theirs"),
        ("sign-out", "ann", None),
    ]
    assert front.noted()[0].wanted["address"] == "127.0.0.1"
    assert not any(one.concerns("p1", "pt1") for one in front.noted())
    assert "wrong password" not in str(front.noted())


async def test_while_the_database_is_out_nobody_is_let_in_and_is_told_to_come_back(
    front: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the sign-in itself could be checked: it could not be written down."""
    import sqlite3

    def out(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with front.browser() as browser, front.browser() as other:
        await sign_in(browser, "ann")
        monkeypatch.setattr("services.access.noting.record", out)
        assert (await sign_in(other, "ann")).status_code == 503
        assert not other.cookies
        monkeypatch.setattr("infra.eventstore.accounts.SqlAccounts.session", out)
        answer = await browser.get("/board")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert (await browser.get("/livez")).status_code == 200


async def test_without_local_accounts_there_is_no_form_and_no_way_past_it(tmp_path: Path) -> None:
    with house(tmp_path, http_auth="tokens") as front:
        front.add("ann", "admin")
        async with front.browser() as browser:
            assert 'type="password"' not in (await browser.get("/auth/sign-in")).text
            assert (await sign_in(browser, "ann")).status_code == 404
            secret = "x" * 43
            front.accounts.begin(_session(front, secret))
            browser.cookies.set("caretally", secret)
            assert (await browser.get("/board")).status_code == 401


def _session(front: House, secret: str):  # type: ignore[no-untyped-def]
    from infra.accounts import Session

    now = front.now_us
    bounds = Bounds(("admin",))
    return Session(digest(secret), ACCOUNT, "ann", "ann", bounds, now, now, now + 10**12)
