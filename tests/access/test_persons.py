"""Who a request comes from: one person in all their browsers, and nobody else of that name."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from infra.accounts import ACCOUNT, OIDC, Bounds, Session
from services.access.principal import EVERYBODY_HERE, Principal, person_of

ANN = Principal("ann", frozenset(), None)


def asked(way: str = "", subject: str = "", digest: bytes = b"", who: Principal = ANN) -> str:
    state: dict[str, object] = {"principal": who}
    if way:
        state["session"] = Session(digest, way, subject, who.name, Bounds(()), 1, 1, 2)
    return person_of(HTTPConnection({"type": "http", "headers": [], "state": state}))


def test_two_browsers_of_one_account_are_one_person() -> None:
    assert asked(ACCOUNT, "ann", b"1") == asked(ACCOUNT, "ann", b"2")


def test_people_of_one_name_are_told_apart() -> None:
    said = {asked(OIDC, "u-1"), asked(OIDC, "u-2"), asked(ACCOUNT, "ann"), asked()}
    assert len(said) == 4


def test_where_nobody_signs_in_the_machine_is_one_person() -> None:
    assert asked(who=EVERYBODY_HERE) == asked(who=EVERYBODY_HERE) == "name this machine"
