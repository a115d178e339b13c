"""Reading ahead: the same items, made beside the work on earlier ones, and no more than asked."""

from __future__ import annotations

from collections.abc import Generator
from threading import Event, get_ident

import pytest

from infra.ahead import ahead

LONG = 10.0


class Making:
    """Numbers from 0, and what became of the one who makes them."""

    def __init__(self, count: int, fails: bool = False) -> None:
        self._count, self._fails = count, fails
        self.made: list[int] = []
        self.threads: set[int] = set()
        self.third = Event()
        self.closed = False

    def items(self) -> Generator[int, None, None]:
        try:
            for number in range(self._count):
                self.made.append(number)
                self.threads.add(get_ident())
                if number == 2:
                    self.third.set()
                yield number
            if self._fails:
                raise LookupError("the last one is missing")
        finally:
            self.closed = True
            self.threads.add(get_ident())


@pytest.mark.parametrize("depth", [1, 2, 50])
@pytest.mark.parametrize("count", [0, 1, 30])
def test_the_same_items_come_in_the_same_order(count: int, depth: int) -> None:
    making = Making(count)
    assert list(ahead(making.items(), depth)) == list(range(count))
    assert making.closed
    assert get_ident() not in making.threads


def test_items_are_made_before_they_are_asked_for_and_no_more_than_allowed() -> None:
    making = Making(100)
    found = ahead(making.items(), 2)
    assert next(found) == 0
    assert making.third.wait(LONG), "nothing was made ahead"
    assert len(making.made) <= 4, "taken, held, and one in hand"
    assert list(found) == list(range(1, 100))


def test_what_making_raises_is_raised_where_the_item_would_have_come() -> None:
    found = ahead(Making(3, fails=True).items(), 5)
    assert [next(found), next(found), next(found)] == [0, 1, 2]
    with pytest.raises(LookupError, match="the last one"):
        next(found)


def test_who_stops_early_leaves_nothing_open() -> None:
    making = Making(1_000_000)
    found = ahead(making.items(), 2)
    assert next(found) == 0
    found.close()  # type: ignore[attr-defined]
    assert making.closed
    assert get_ident() not in making.threads
