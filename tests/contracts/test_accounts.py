"""What accounts, sessions and service tokens promise, whatever lies under them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.accounts import ACCOUNT, OIDC, Account, Accounts, Bounds, ServiceToken, Session
from infra.eventstore import open_store
from infra.eventstore.accounts import open_accounts
from projections.ports import Store

NOW = 1_750_000_000_000_000
HOUR = 3_600_000_000

ANN = Account("ann", "$argon2id$…", Bounds(("biller", "coordinator"), ("p1", "p2")), NOW)
BOB = Account("bob", "$argon2id$…", Bounds(("admin",)), NOW)
FEED_BOUNDS = Bounds(("integrator",), ("p1",))
FEED = ServiceToken("tok_1", "north feed", b"f" * 32, FEED_BOUNDS, NOW, NOW + 9)


@pytest.fixture
def accounts(store: Store) -> Accounts:
    return open_accounts(store)


def session(digest: bytes = b"s" * 32, **parts: object) -> Session:
    given = {
        "digest": digest,
        "way": ACCOUNT,
        "subject": "ann",
        "name": "ann",
        "bounds": ANN.bounds,
        "began_at_us": NOW,
        "used_at_us": NOW,
        "ends_at_us": NOW + 12 * HOUR,
    }
    return Session(**(given | parts))  # type: ignore[arg-type]


def test_an_account_comes_back_whole_and_its_name_is_its_own(accounts: Accounts) -> None:
    assert accounts.accounts() == []
    assert accounts.add_account(BOB)
    assert accounts.add_account(ANN)
    assert not accounts.add_account(replace(ANN, password="other"))
    assert accounts.accounts() == [ANN, BOB]
    assert (accounts.account("ann"), accounts.account("eve")) == (ANN, None)


def test_no_practices_is_not_every_practice(accounts: Accounts) -> None:
    none = replace(ANN, bounds=Bounds(("auditor",), ()))
    accounts.add_account(none)
    assert accounts.account("ann") == none


def test_secrets_never_show_in_words() -> None:
    for thing in (ANN, session(), FEED):
        assert "argon2" not in repr(thing)
        assert "sss" not in repr(thing)
        assert "fff" not in repr(thing)


def test_a_session_lives_until_it_is_ended(accounts: Accounts) -> None:
    accounts.add_account(ANN)
    accounts.begin(session())
    assert accounts.session(b"s" * 32) == session()
    assert accounts.session(b"t" * 32) is None
    accounts.touch(b"s" * 32, NOW + HOUR)
    accounts.touch(b"s" * 32, NOW)
    assert accounts.session(b"s" * 32) == session(used_at_us=NOW + HOUR)
    assert accounts.end(b"s" * 32)
    assert not accounts.end(b"s" * 32)
    assert accounts.session(b"s" * 32) is None


def test_a_session_has_the_roles_its_account_has_now(accounts: Accounts) -> None:
    accounts.add_account(ANN)
    accounts.begin(session())
    for bounds in (Bounds(("auditor",), ("p3",)), Bounds(("auditor",))):
        assert accounts.set_bounds("ann", bounds)
        assert accounts.session(b"s" * 32) == session(bounds=bounds)
    assert not accounts.set_bounds("eve", Bounds(()))


def test_a_session_of_a_provider_keeps_what_the_provider_said(accounts: Accounts) -> None:
    accounts.add_account(ANN)
    theirs = session(way=OIDC, bounds=Bounds(("biller",), ("p9",)))
    accounts.begin(theirs)
    accounts.set_disabled("ann", True)
    assert accounts.session(b"s" * 32) == theirs


def test_disabling_and_a_new_password_end_an_accounts_sessions(accounts: Accounts) -> None:
    accounts.add_account(ANN)
    accounts.add_account(BOB)
    accounts.begin(session(b"b" * 32, subject="bob", name="bob", bounds=BOB.bounds))
    accounts.begin(session())
    assert accounts.set_password("ann", "$new")
    assert accounts.session(b"s" * 32) is None
    accounts.begin(session())
    assert accounts.set_disabled("ann", True)
    assert accounts.session(b"s" * 32) is None
    assert accounts.account("ann") == replace(ANN, password="$new", disabled=True)
    assert accounts.session(b"b" * 32) is not None
    assert not accounts.set_password("eve", "$new")
    assert not accounts.set_disabled("eve", True)


def test_a_session_that_began_while_its_account_was_disabled_is_none(accounts: Accounts) -> None:
    accounts.add_account(replace(ANN, disabled=True))
    accounts.begin(session())
    accounts.begin(session(b"g" * 32, subject="gone"))
    assert accounts.session(b"s" * 32) is None
    assert accounts.session(b"g" * 32) is None


def test_all_sessions_of_one_person_end_together(accounts: Accounts) -> None:
    for number in range(3):
        accounts.begin(session(b"%d" % number * 32, way=OIDC))
    accounts.begin(session(b"o" * 32, way=OIDC, subject="other"))
    assert accounts.end_all(OIDC, "ann") == 3
    assert accounts.end_all(OIDC, "ann") == 0
    assert accounts.session(b"o" * 32) is not None


def test_a_new_session_forgets_those_that_had_ended(accounts: Accounts) -> None:
    accounts.begin(session(b"o" * 32, way=OIDC, ends_at_us=NOW + 1))
    accounts.begin(session(way=OIDC, began_at_us=NOW))
    assert accounts.session(b"o" * 32) is not None
    accounts.begin(session(b"n" * 32, way=OIDC, began_at_us=NOW + 1))
    assert accounts.session(b"o" * 32) is None


def test_a_token_is_found_by_its_digest_until_it_is_revoked_and_after(accounts: Accounts) -> None:
    assert accounts.add_token(FEED)
    assert accounts.token(b"f" * 32) == FEED
    assert accounts.token(b"g" * 32) is None
    accounts.token_used("tok_1", NOW + 5)
    accounts.token_used("tok_1", NOW + 3)
    assert accounts.revoke("tok_1", NOW + 7)
    assert not accounts.revoke("tok_1", NOW + 8)
    assert not accounts.revoke("tok_9", NOW + 8)
    used = replace(FEED, used_at_us=NOW + 5, revoked_at_us=NOW + 7)
    assert accounts.token(b"f" * 32) == used
    assert list(accounts.tokens()) == [used]


def test_a_tokens_name_is_free_again_once_it_is_revoked(accounts: Accounts) -> None:
    other = replace(FEED, id="tok_0", digest=b"g" * 32)
    assert accounts.add_token(FEED)
    assert not accounts.add_token(other)
    assert not accounts.add_token(replace(FEED, name="another", digest=b"h" * 32))
    accounts.revoke("tok_1", NOW)
    assert accounts.add_token(other)
    assert [token.id for token in accounts.tokens()] == ["tok_0", "tok_1"]


def test_another_process_sees_the_same_accounts(durable_url: str) -> None:
    one, other = open_store(durable_url), open_store(durable_url)
    open_accounts(one).add_account(ANN)
    open_accounts(one).begin(session())
    assert open_accounts(other).session(b"s" * 32) == session()
    open_accounts(other).set_disabled("ann", True)
    assert open_accounts(one).session(b"s" * 32) is None
    one.close()
    other.close()
