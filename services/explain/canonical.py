"""An explanation as one line of JSON: equal explanations give equal bytes.

Members stand in the order of the classes in `domain.explain.explanation`: `assessment` (the
contract's own form), `conditions`, `entries`, `ladders`, `options`, `claim`, `what_ifs`,
`remarks`, `services`, `basis`, `hints`. Dates are `YYYY-MM-DD`, money and figures decimal strings,
absent values null; no member is ever left out.
"""

from __future__ import annotations

import msgspec

from domain.explain import Explanation

_encode = msgspec.json.Encoder(decimal_format="string").encode


def explain_json(explanation: Explanation) -> bytes:
    """The whole explanation, without a line end."""
    return _encode(explanation)
