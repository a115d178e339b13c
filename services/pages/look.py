"""Light or dark: as the machine is set, unless a reader has chosen. A cookie holds the choice."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.access import OPEN, needs

PATH: Final = "/look"
COOKIE: Final = "look"
LOOKS: Final = ("auto", "light", "dark")
A_YEAR: Final = 31_536_000


def look_of(request: Request) -> str:
    """What the reader has chosen; `auto` for whoever has not."""
    chosen = request.cookies.get(COOKIE, "auto")
    return chosen if chosen in LOOKS else "auto"


def routes() -> list[Route]:
    """`/look/dark?back=/board`: keeps the choice and leads back. It changes nothing but a colour,
    so a plain link may do it, without a script."""

    @needs(OPEN)
    def choose(request: Request) -> Response:
        chosen, back = request.path_params["look"], request.query_params.get("back", "/")
        if not back.startswith("/") or back.startswith(("//", "/\\")):
            back = "/"  # never away from here
        answer = RedirectResponse(back, 303, {"cache-control": "no-store"})
        if chosen in LOOKS:
            answer.set_cookie(COOKIE, chosen, max_age=A_YEAR, path="/", samesite="lax")
        return answer

    return [Route(f"{PATH}/{{look}}", choose, name="look", methods=["GET"])]
