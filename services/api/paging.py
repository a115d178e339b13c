"""Pages: their items as they are, and where the next one is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request

from services.api.cursors import sealed
from services.api.desk import Answer

FREE: Final = frozenset({"cursor", "limit"})
"""Parameters that may change from page to page."""


def filters(request: Request) -> dict[str, str]:
    """What a page is a page of: every parameter but those of paging, as they were given."""
    return {k: v for k, v in request.query_params.items() if k not in FREE}


def page(
    request: Request, items: Iterable[Any], place: Any | None, headers: Mapping[str, str] = {}
) -> Answer:
    """Items (values, or bytes of JSON) with the address of the page that goes on at `place`."""
    following = None
    if place is not None:
        cursor = sealed(request.url.path, filters(request), place)
        asked = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"]
        following = f"{request.url.path}?{urlencode([*asked, ('cursor', cursor)])}"
    raw = [msgspec.Raw(item) if isinstance(item, bytes) else item for item in items]
    body = encode({"items": raw, "next": following})
    link = {} if following is None else {"link": f'<{following}>; rel="next"'}
    return Answer(body, headers={**headers, **link})


encode: Final = msgspec.json.Encoder(decimal_format="string").encode
