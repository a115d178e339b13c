"""Which characters a message's bytes are, by MSH-18."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.rejections import Reason
from services.wire.refusal import quoted, refused

if TYPE_CHECKING:
    from services.translate.hl7v2.segments import Segment

CHARSETS: Final = {
    "ASCII": "ascii",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    **{f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))},
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc-kr",
}
"""HL7's table 0211, as far as a byte of ASCII means itself. The others cannot be told from ASCII
before they are decoded, and no feed of a practice in the US was seen to use them."""


def charset_of(msh: Segment, default: str) -> str:
    """Python's name of the first character set in MSH-18. Raises `Refused` for one not known."""
    name = msh.get(18)
    if not name:
        return default
    found = CHARSETS.get(name.strip().upper())
    if found is None:
        expected = "a character set such as ASCII, UNICODE UTF-8 or 8859/1"
        raise refused(Reason.NOT_HL7, "MSH-18", expected, quoted(name))
    return found
