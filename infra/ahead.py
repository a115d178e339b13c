"""Items made in a thread while the caller works on earlier ones.

For what waits outside the interpreter, as a read from a server does: there the two overlap. Work of
the interpreter's own gains nothing by it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from queue import Full, Queue
from threading import Event, Thread
from typing import Final, TypeVar, cast

_T = TypeVar("_T")

_LOOK_SECONDS: Final = 0.1
"""How often the maker of what has no room looks whether anybody still wants it."""

_Made = Queue[tuple[_T | None, BaseException | None]]


def ahead(items: Generator[_T, None, None], depth: int) -> Iterator[_T]:
    """The same items in the same order, at most `depth` of them made and not yet taken.

    What making them raises is raised where the item would have come. Closed or thrown away early,
    the generator is closed too, in its own thread, before this returns.
    """
    made: _Made[_T] = Queue(depth)
    unwanted = Event()
    maker = Thread(target=_make, args=(items, made, unwanted), daemon=True)
    maker.start()
    try:
        while True:
            item, error = made.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield cast(_T, item)
    finally:
        unwanted.set()
        maker.join()


def _make(items: Generator[_T, None, None], made: _Made[_T], unwanted: Event) -> None:
    with closing(items):
        try:
            for item in items:
                _put((item, None), made, unwanted)
                if unwanted.is_set():
                    return
        except BaseException as error:
            _put((None, error), made, unwanted)
        else:
            _put((None, StopIteration()), made, unwanted)


def _put(told: tuple[_T | None, BaseException | None], made: _Made[_T], unwanted: Event) -> None:
    while not unwanted.is_set():
        with suppress(Full):
            made.put(told, timeout=_LOOK_SECONDS)
            return
