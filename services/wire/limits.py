"""Every limit an inbound event meets, in one place.

Each guards something named beside it; all are far above what real feeds send. Raising one is
safe, lowering one would refuse what was once accepted.
"""

from __future__ import annotations

from typing import Final

MESSAGE_BYTES_MAX: Final = 1_048_576
"""A raw message, as it arrived (1 MiB): bounds memory per event in every door."""

BUNDLE_BYTES_MAX: Final = 16 * MESSAGE_BYTES_MAX
"""A message of many resources; each of them has the limit of a message."""

NESTING_DEPTH_MAX: Final = 64
"""Objects and arrays inside each other: readers further on recurse, and stacks are finite."""

IDENTIFIER_CHARS_MAX: Final = 256
"""Ids, roles of activities, programme names, credentials: they become keys and labels."""

SOURCE_CHARS_MAX: Final = 1_024
"""`source` is a URI reference, which may be long."""

TEXT_CHARS_MAX: Final = 4_096
"""Free text: reasons and document references."""

TOKEN_CHARS_MAX: Final = 60
"""How much of an offending value a rejection quotes."""

INSTANT_CHARS_MAX: Final = 64
"""RFC 3339 sets no end to the digits of a second's fraction; this does."""

ENTRY_SECONDS_MAX: Final = 86_400
"""One time entry: a day. Longer ones are forgotten clocks."""

AHEAD_SECONDS_MAX: Final = 86_400
"""How far after the event's own `time` its work may end: clocks and zones differ, plans do not
count."""

AHEAD_DAYS_MAX: Final = 1
"""The same for an unclocked entry, in whole days from the UTC date of `time`."""

CLAIM_CODES_MAX: Final = 50
"""Lines of one claimed month; a professional claim has 50 service lines."""

UNITS_MAX: Final = 9_999
"""Units on one claim line."""
