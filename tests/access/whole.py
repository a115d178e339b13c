"""The whole application of a serving process, with a patient of practice p1 and a token of every
role; and requests to it that end by themselves, streams too."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from infra.accounts import Bounds
from infra.eventstore.accounts import open_accounts
from infra.settings import Settings
from services.access import Role
from services.access.routes import Need, table
from services.access.tokens import new_token
from services.bootstrap import Parts, composed
from services.ingest import Delivery
from services.serve.process import Process
from services.serve.roles import Role as ServedRole
from services.serve.roles import plan
from tests.fhir.test_files import PROFILE
from tests.services.wire_examples import cloudevent

NOW_US = 1_743_000_000_000_000
"""Noon of 26 March 2025."""
PATIENT, MARK = "pt-of-p1", "entry-of-p1"
MONTH = "2025-03"
STREAM_SECONDS = 0.4
FILLED = {
    "practice": "p1",
    "patient": PATIENT,
    "month": MONTH,
    "site": "river",
    "kind": "Task",
    "look": "dark",
    "form": "time",
}

ASKED = {"difference": "?from=2025-03-01T00:00:00Z&to=2025-03-26T14:40:00Z"}
"""What the routes whose path ends so do not answer without."""


@dataclass(frozen=True)
class Heard:
    """An answer, as far as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Whole:
    """The application, and tokens to ask it with."""

    def __init__(self, parts: Parts) -> None:
        process = Process(parts, plan(parts.settings, [ServedRole.ALL]))
        self.parts = parts
        self.app: Starlette = process.application
        self.needs = served(self.app)
        self._accounts = open_accounts(parts.store)

    def token(self, *roles: Role, practices: tuple[str, ...] | None = ("p1",)) -> str:
        """A new token with these bounds."""
        bounds = Bounds(tuple(roles), practices)
        name = f"{len(self._accounts.tokens())}"
        made, secret = new_token(lambda: NOW_US, name, bounds, 30)
        assert self._accounts.add_token(made)
        return secret

    async def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: bytes = b"",
        **headers: str,
    ) -> Heard:
        """One request; a stream is left after its first moment."""
        sent = {"host": "localhost", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        return await heard(self.app, method, path, sent, body)


async def heard(
    app: Starlette,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    seconds: float = STREAM_SECONDS,
) -> Heard:
    """The answer to one request; a stream is left after so many seconds."""
    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": place,
        "raw_path": place.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 40_000),
        "server": ("localhost", 8080),
    }
    said: list[Any] = []
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if requests:
            return requests.pop(0)
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    doing = asyncio.create_task(app(scope, receive, send))
    while not doing.done():
        await asyncio.wait([doing], timeout=seconds)
        started = next((m for m in said if m["type"] == "http.response.start"), None)
        if started and (b"content-type", b"text/event-stream") in [
            (k, v.split(b";")[0]) for k, v in started["headers"]
        ]:
            break
    doing.cancel()
    with suppress(asyncio.CancelledError):
        await doing
    start = next(m for m in said if m["type"] == "http.response.start")
    found = {k.decode().lower(): v.decode() for k, v in start["headers"]}
    return Heard(start["status"], found, b"".join(m.get("body", b"") for m in said))


def served(app: Starlette) -> dict[tuple[str, str], Need]:
    """What each route of the application needs, by path and method."""
    return {
        place: need for place, need in table(app.routes).items() if place[1] not in ("HEAD", "*")
    }


def filled(path: str) -> str:
    """A path with its parameters filled in, of practice p1 where they say a practice, and with
    the query that it needs."""
    found = re.sub(r"{(\w+)(?::\w+)?}", lambda name: FILLED.get(name[1], "1"), path)
    return found + ASKED.get(path.rpartition("/")[2], "")


@contextmanager
def whole(folder: Path, **settings: Any) -> Iterator[Whole]:
    (folder / "river.toml").write_text(PROFILE.format(subject="id"))
    given: dict[str, Any] = {
        "database": f"sqlite:///{folder}/care.db",
        "http_auth": "tokens",
        "fhir_sites": str(folder / "river.toml"),
        **settings,
    }
    with composed(Settings(**given), lambda: NOW_US) as parts:
        ingest = parts.ingest()
        for number, (kind, data) in enumerate(_facts()):
            event = cloudevent(kind, id=f"e{number}", subject=PATIENT)
            event["data"] |= data
            (refused,) = ingest.take([Delivery(json.dumps(event).encode(), None, (), "t")]).results
            assert refused is None, refused
        ingest.take([_letter()])
        yield Whole(parts)


def _letter() -> Delivery:
    """Refused, of the same practice."""
    event = cloudevent("time.logged.v1", id="wrong", subject=PATIENT)
    event["data"] |= {"entry_id": MARK, "activity": 7}
    return Delivery(json.dumps(event).encode(), None, (), "t")


def _facts() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("patient.enrolled.v1", {}),
        ("consent.recorded.v1", {}),
        ("time.logged.v1", {"entry_id": MARK}),
    ]
