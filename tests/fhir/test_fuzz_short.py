"""The short form of `python -m tests.fhir.fuzz`, and that it sees what must not happen."""

from __future__ import annotations

import pytest

from services.translate import feed, resource
from tests.fhir.fuzz import Fault, Fuzz


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_messages_end_without_an_exception_and_without_minutes_made_up(seed: int) -> None:
    fuzz = Fuzz(seed)
    fuzz.run(3_000)
    assert fuzz.figures["messages"] == 3_000
    assert min(fuzz.figures[name] for name in ("events", "entries", "letters", "ignored")) > 20


def test_the_fuzz_sees_an_exception_behind_the_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(found: dict[str, object], site: object) -> list[object]:
        raise KeyError(len(found), site)

    monkeypatch.setitem(resource.MAPPED, "Consent", broken)
    with pytest.raises(Fault, match="Consent cannot be read"):
        Fuzz(1).run(1_000)


def test_the_fuzz_sees_minutes_that_are_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    good = resource.MAPPED["Task"]

    def padded(found: dict[str, object], site: object) -> list[object]:
        drafts = good(found, site)  # type: ignore[arg-type]
        drafts[0].data["started_at"] = "2025-03-05T09:59:00-05:00"
        return list(drafts)

    monkeypatch.setattr(feed, "plain", lambda *_: None)
    monkeypatch.setitem(resource.MAPPED, "Task", padded)
    with pytest.raises(Fault, match="other instants than the resource's"):
        Fuzz(1).run(3_000)
