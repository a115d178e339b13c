"""Whatever the month, its explanation contradicts neither the answer nor itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, given, settings

from domain import facts as f
from domain.assess import assess
from domain.assess.assessment import Assessment
from domain.explain import Explanation, explain
from domain.explain.catalogue import BLOCKERS
from domain.policy import Policy
from domain.rules import BOOK
from tests.explaining import (
    MONTH,
    explained,
    what_ifs,
)
from tests.given import (
    day,
    event,
    five_pm,
    folded,
    ready,
    unclocked,
)
from tests.strategies import Scene, scenes
from tests.thoroughness import examples


def test_the_basis_names_rules_book_and_fees() -> None:
    x = explained(ready(MONTH))
    assert (x.basis.rules_version, x.basis.rules_digest) == (
        x.assessment.rules.version,
        x.assessment.rules.digest,
    )
    assert x.basis.book_digest == BOOK.digest
    assert x.basis.fees_digest.endswith(BOOK.fees.digest)


def test_no_sentence_carries_free_text_of_an_event() -> None:
    secret = "Jane Doe of 12 Elm Street"
    log = event(unclocked("t1", "2025-03-05", 1260), five_pm("2025-03-05"))
    fact = replace(unclocked("t2", "2025-03-05", 60), activity=secret, program=secret)
    events = [
        *ready(MONTH),
        log,
        event(fact, five_pm("2025-03-05")),
        event(f.TimeVoided("t3", secret), five_pm("2025-03-06")),
        event(f.EventRetracted("a", "b", secret), five_pm("2025-03-06")),
        event(f.PatientDisenrolled(day("2025-03-20"), secret), five_pm("2025-03-20")),
        event(f.CarePlanRecorded("reviewed", day("2025-03-06"), secret), five_pm("2025-03-06")),
    ]
    assert secret not in repr(explained(events))


QUICK = settings(
    max_examples=examples(80),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@QUICK
@given(scenes())
def test_any_month_is_explained_without_a_contradiction(scene: Scene) -> None:
    """Random patients: the parts of an explanation add up to the answer they explain."""
    if not scene.events:
        return
    patient = folded(scene.events)
    for month in scene.months:
        x = explain(patient, month, BOOK, scene.policy)
        assert x.assessment == assess(patient, month, BOOK, scene.policy)
        _seconds_add_up(x)
        _conditions_are_the_blockers(x)
        _options_add_up(x, scene.policy)
        for gain in what_ifs(x, "add-time"):
            assert gain.offered


def _seconds_add_up(x: Explanation) -> None:
    answer = x.assessment
    assert sum(e.logged for e in x.entries) == answer.seconds.logged
    excluded = [(e.entry_id, p.seconds, p.reason) for e in x.entries for p in e.excluded]
    assert sorted(excluded) == sorted((p.entry_id, p.seconds, p.reason) for p in answer.excluded)
    assert all(e.counted >= 0 for e in x.entries)


def _conditions_are_the_blockers(x: Explanation) -> None:
    assert sorted(c.blocker for c in x.conditions if not c.met) == list(x.assessment.blockers)
    assert all(c.evidence for c in x.conditions if c.met and c.blocker in WITH_EVIDENCE)
    assert tuple(r.warning for r in x.remarks) == x.assessment.warnings
    assert all(r.evidence or r.warning in ("fee-missing", "mue-exceeded") for r in x.remarks)


WITH_EVIDENCE = set(BLOCKERS) - {"consent-revoked", "competing-service", "billed-elsewhere"}


def _options_add_up(x: Explanation, policy: Policy) -> None:
    answer: Assessment = x.assessment
    assert [o.family for o in x.options if o.legal] == [o.family for o in answer.options]
    for option in x.options:
        amounts = [line.amount for line in option.lines]
        known = [amount for amount in amounts if amount is not None]
        total = sum(known, Decimal(0)) if len(known) == len(amounts) else None
        assert (option.payment.amount if option.payment else None) == total
    for ladder in x.ladders:
        assert ladder.offered == (ladder.family in {o.family for o in answer.options})
        assert ladder.offered or ladder.obstacles
        reached = [s.reached_on for s in ladder.steps if s.reached_on]
        for legal in answer.options:
            if legal.family is ladder.family and policy.date_of_service == "threshold-met":
                assert reached[-1] == legal.date_of_service
