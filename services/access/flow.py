"""Signing in with a provider: there, and back with a code."""

from __future__ import annotations

import logging
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.accounts import OIDC
from services.access.answers import too_many
from services.access.claims import NoPlaceHere
from services.access.keys import Untrue
from services.access.pages import page, place_of
from services.access.provider import CALLBACK, Attempt, Provider, ProviderOut
from services.access.routes import OPEN, needs
from services.access.signing import TITLE, Entrance

log = logging.getLogger("caretally.access")

ATTEMPT_SECONDS: Final = 600

OUT: Final = "The provider does not answer. Try again in a while."
NOT_IN: Final = "That did not work: {}. Begin again."
NO_PLACE: Final = "You are known to the provider, but have no place here: {}."


def routes(entrance: Entrance, provider: Provider, https: bool) -> list[Route]:
    """`/auth/start` leads to the provider, `/auth/callback` is where it sends the browser back."""
    cookie = "__Host-caretally-attempt" if https else "caretally-attempt"

    def said(request: Request, status: int, words: str) -> Response:
        values: dict[str, Any] = {"to": "/", "said": words, "name": "", "provider": provider.name}
        values["passwords"] = entrance.takes_passwords
        answer = page(request, "sign_in.html", TITLE, status, **values)
        answer.delete_cookie(cookie, path="/", secure=https, httponly=True, samesite="lax")
        return answer

    @needs(OPEN)
    async def start(request: Request) -> Response:
        if seconds := entrance.wait(request):
            return too_many(seconds)
        to = place_of(request.query_params.get("to", "/"))
        try:
            url, attempt = await provider.begin(str(request.base_url), to)
        except ProviderOut as error:
            log.warning("the provider: %s", error)
            return said(request, 503, OUT)
        answer = RedirectResponse(url, 303)
        answer.set_cookie(
            cookie,
            attempt.text(),
            ATTEMPT_SECONDS,
            path="/",
            secure=https,
            httponly=True,
            samesite="lax",
        )
        return answer

    @needs(OPEN)
    async def back(request: Request) -> Response:
        if seconds := entrance.wait(request):
            return too_many(seconds)
        attempt = Attempt.from_text(request.cookies.get(cookie, ""))
        try:
            if attempt is None:
                raise Untrue("this browser did not begin it, or too long ago")
            person = await provider.finish(
                str(request.base_url), dict(request.query_params), attempt
            )
        except ProviderOut as error:
            log.warning("the provider: %s", error)
            return said(request, 503, OUT)
        except Untrue as error:
            await entrance.refuse(request, "", OIDC, str(error))
            return said(request, 403, NOT_IN.format(error))
        except NoPlaceHere as error:
            await entrance.refuse(request, "", OIDC, str(error))
            return said(request, 403, NO_PLACE.format(error))
        answer = await entrance.let_in(
            request, OIDC, person.subject, person.name, person.bounds, attempt.to
        )
        answer.delete_cookie(cookie, path="/", secure=https, httponly=True, samesite="lax")
        return answer

    return [Route("/auth/start", start), Route(CALLBACK, back)]
