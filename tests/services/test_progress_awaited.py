"""A feed that nobody configured is not waited for; one that is read is looked at as any other."""

from __future__ import annotations

from services.doors.progress import Progress


def test_a_topic_that_must_be_there_is_waited_for() -> None:
    assert Progress().ready() == (False, "not connected to Kafka")


def test_a_topic_that_may_be_missing_is_not_but_what_goes_wrong_with_it_is_told() -> None:
    progress = Progress(awaited=False)
    assert progress.ready() == (True, "")
    progress.running = True
    progress.hold(OSError())
    assert progress.ready() == (False, "held back by OSError")
