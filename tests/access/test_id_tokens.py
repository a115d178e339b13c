"""ID tokens that prove nothing: forged, for others, over, not begun, of other keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.settings import Settings
from services.access.claims import NoPlaceHere, reading_of
from services.access.keys import AGAIN_SECONDS, FRESH_SECONDS, LEEWAY_SECONDS, Keys, Untrue
from services.access.keys import claims_of as true_claims

NOW = 1_750_000_000
ISSUER, CLIENT, NONCE = "https://idp.example", "caretally", "n" * 43
KEYS = {name: rsa.generate_private_key(65537, 2048) for name in ("one", "two")}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "u-1",
    "iat": NOW,
    "exp": NOW + 300,
    "nonce": NONCE,
}


def public(name: str, **more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(KEYS[name].public_key()))
    return {**found, "kid": name, **more}


def token(key: str = "one", algorithm: str = "RS256", kid: str = "one", **claims: Any) -> str:
    said = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(said, KEYS[key], algorithm, {"kid": kid})


class Asked:
    """A provider's keys, how often they were asked for, and a clock."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.times, self.now = 0, 0.0
        self.of = Keys(self._ask, lambda: self.now).of

    async def _ask(self) -> Any:
        self.times += 1
        return {"keys": self.keys}


async def claims_of(text: str, *keys: dict[str, Any]) -> dict[str, Any]:
    key = await Asked(*(keys or (public("one"),))).of(text)
    return true_claims(text, key, ISSUER, CLIENT, NONCE, lambda: NOW * 1_000_000)


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256"])
async def test_a_true_token_gives_its_claims(algorithm: str) -> None:
    assert await claims_of(token(algorithm=algorithm)) == CLAIMS
    assert (await claims_of(token(aud=[CLIENT])))["sub"] == "u-1"
    assert (await claims_of(token(aud=[CLIENT, "other"], azp=CLIENT)))["sub"] == "u-1"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": ["other"]},
        {"aud": [CLIENT, "other"]},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"azp": "other"},
        {"sub": None},
        {"exp": None},
        {"exp": NOW - LEEWAY_SECONDS},
        {"exp": "soon"},
        {"iat": None},
        {"iat": NOW + LEEWAY_SECONDS + 1},
        {"nbf": NOW + LEEWAY_SECONDS + 1},
        {"nonce": None},
        {"nonce": "m" * 43},
        {"nonce": 7},
    ],
)
async def test_a_token_for_others_or_another_time_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Untrue):
        await claims_of(token(**claims))


async def test_clocks_may_be_a_minute_apart() -> None:
    assert await claims_of(token(exp=NOW - LEEWAY_SECONDS + 1))
    assert await claims_of(token(iat=NOW + LEEWAY_SECONDS, nbf=NOW + LEEWAY_SECONDS))


def unsigned(**header: str) -> str:
    parts = [header, CLAIMS]
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return f"{'.'.join(encoded)}."


def with_public_key_as_secret() -> str:
    """The old confusion: HMAC, with the public key's bytes as the shared secret."""
    import hmac as mac

    pem = (
        KEYS["one"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    body = unsigned(alg="HS256", kid="one").rstrip(".")
    signed = base64.urlsafe_b64encode(mac.digest(pem, body.encode(), "sha256")).decode()
    return f"{body}.{signed.rstrip('=')}"


FORGERIES: list[Callable[[], str]] = [
    lambda: token(key="two"),
    lambda: token(kid="three"),
    lambda: unsigned(alg="none", kid="one"),
    lambda: unsigned(alg="None"),
    with_public_key_as_secret,
    lambda: token()[:-6] + "AAAAAA",
    lambda: "not a token",
    lambda: "",
]


@pytest.mark.parametrize("forged", FORGERIES)
async def test_a_forged_token_is_refused(forged: Callable[[], str]) -> None:
    with pytest.raises(Untrue):
        await claims_of(forged(), public("one"), public("two"))


async def test_keys_that_are_not_for_signing_or_for_another_algorithm_are_not_used() -> None:
    for key in (public("one", use="enc"), public("one", alg="RS512")):
        with pytest.raises(Untrue):
            await claims_of(token(), key)
    assert await claims_of(token(), public("one", use="sig", alg="RS256"))


async def test_unknown_keys_are_asked_for_but_not_at_every_request() -> None:
    """Rotation works at once, and a flood of forged tokens asks the provider once in a while."""
    asked = Asked(public("one"))
    await asked.of(token())
    await asked.of(token())
    assert asked.times == 1
    asked.keys = [public("two")]
    for _ in range(50):
        with pytest.raises(Untrue):
            await asked.of(token(key="two", kid="two"))
    assert asked.times == 1
    asked.now = AGAIN_SECONDS
    await asked.of(token(key="two", kid="two"))
    assert asked.times == 2


async def test_a_withdrawn_key_is_not_believed_for_longer_than_an_hour() -> None:
    asked = Asked(public("one"))
    await asked.of(token())
    asked.keys = [public("two")]
    asked.now = FRESH_SECONDS - 1
    await asked.of(token())
    asked.now = FRESH_SECONDS
    with pytest.raises(Untrue):
        await asked.of(token())


async def test_what_is_no_set_of_keys_is_refused() -> None:
    for keys in ([], [{"kty": "what"}], [{}]):
        with pytest.raises(Untrue):
            await claims_of(token(), *keys) if keys else await Asked().of(token())


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, "a role of ours"),
        ({"roles": ["guest"]}, "a role of ours"),
        ({"roles": {"biller": True}}, "a role of ours"),
        ({"roles": [["biller"]]}, "a role of ours"),
        ({"roles": "biller", "preferred_username": "x" * 200}, "a name"),
        ({"roles": "biller", "preferred_username": "a\nb"}, "a name"),
    ],
)
def test_claims_that_give_no_place_are_refused(claims: dict[str, Any], expected: str) -> None:
    with pytest.raises(NoPlaceHere, match=expected):
        reading_of(Settings()).person({"sub": "u-1", **claims})


def test_who_has_no_name_is_called_by_the_subject() -> None:
    person = reading_of(Settings()).person({"sub": "u-1", "roles": "biller", "practices": 7})
    assert (person.name, person.bounds.practices) == ("u-1", ())


@pytest.mark.parametrize("pairs", ["biller", "=biller", "a=boss", "a=biller,,"])
def test_a_mapping_to_no_role_of_ours_is_refused_by_name(pairs: str) -> None:
    settings = Settings(oidc_roles=pairs)
    with pytest.raises(ValueError, match=r"^oidc_roles: expected THEIR-NAME=ROLE"):
        reading_of(settings)
