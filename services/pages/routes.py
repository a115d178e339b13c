"""Every page's routes, in one list."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.access import SIGNED_IN, Right, needs
from services.bootstrap import Parts
from services.pages import assets, look, patient
from services.pages.place import Place
from services.pages.shell import Shell
from services.serve.reads import Reads


def routes(parts: Parts, reads: Reads) -> list[BaseRoute]:
    """The pages over these parts; each read is written down by `reads`."""
    shell = Shell(parts, reads)

    def board(request: Request, place: Place) -> Response:
        return shell.page(request, "empty.html", place, title="Board")

    return [
        Route("/", _home, methods=["GET"]),
        *assets.routes(),
        *look.routes(),
        shell.entry("/board", "board", Right.READ),
        shell.route("/board/{practice:id}/{month}", "board", Right.READ, board),
        *patient.routes(shell),
    ]


@needs(SIGNED_IN)
def _home(_: Request) -> Response:
    return RedirectResponse("/board", 303)
