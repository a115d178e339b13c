"""An explanation accounts for every entry of time, and says how far each ladder was climbed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain import facts as f
from domain.event import Event
from domain.explain.catalogue import EXCLUSION_REASONS
from domain.rules.codes import Family
from tests.explaining import (
    MONTH,
    billed,
    entry_of,
    explained,
    keys,
    ladder_of,
    located,
    named,
    rule_ids,
    stay,
    without,
)
from tests.given import (
    NPI,
    OTHER_NPI,
    clocked,
    consent,
    day,
    event,
    five_pm,
    mdm,
    practitioner,
    ready,
    staff,
    unclocked,
    visit,
    voided,
)


class TestEntries:
    def test_overlap_names_the_entry_that_was_counted_instead(self) -> None:
        first = clocked("t1", "2025-03-07T10:00:00-05:00", "2025-03-07T10:15:00-05:00")
        second = clocked("t2", "2025-03-07T10:10:00-05:00", "2025-03-07T10:25:00-05:00")
        found = entry_of(explained([*ready(MONTH), first, second]), "t2")
        assert (found.logged, found.counted) == (900, 600)
        (part,) = found.excluded
        assert (part.reason, part.seconds) == ("overlap", 300)
        assert keys(part.evidence) == {named(first)}
        assert rule_ids(part.rules) == ["time.once"]

    def test_a_retracted_entry_counts_nothing_and_names_the_retraction(self) -> None:
        log = staff("t1", "2025-03-05", 1260)
        back = event(f.EventRetracted(log.source, log.id, "error"), "2025-03-07T12:00:00Z")
        found = entry_of(explained([*ready(MONTH), log, back]), "t1")
        assert (found.state, found.counted, found.stands) == ("retracted", 0, None)
        (revision,) = found.revisions
        assert revision.state == "retracted"
        assert revision.by is not None
        assert (revision.by.source, revision.by.id) == named(back)
        assert rule_ids(found.rules) == ["record.correction"]

    def test_a_superseded_revision_names_the_one_that_stands(self) -> None:
        log = staff("t1", "2025-03-05", 1260)
        logged = unclocked("t1", "2025-03-05", 900)
        fact = f.TimeAmended("t1", logged.performer, logged.activity, logged.work, "typing")
        change = event(fact, "2025-03-06T12:00:00Z")
        found = entry_of(explained([*ready(MONTH), change, log]), "t1")
        assert [r.state for r in found.revisions] == ["superseded", "stands"]
        assert found.revisions[0].by == found.stands
        assert found.stands is not None
        assert found.stands.id == change.id

    def test_a_void_stands_over_the_entry(self) -> None:
        events = [staff("t1", "2025-03-05", 1260), voided("t1", "2025-03-06T12:00:00Z")]
        found = entry_of(explained([*ready(MONTH), *events]), "t1")
        assert found.state == "voided"
        assert [r.state for r in found.revisions] == ["superseded", "void"]

    @pytest.mark.parametrize(
        ("reason", "fact", "rule"),
        [
            ("inpatient", stay("inpatient", "2025-03-01", "2025-03-20"), "time.inpatient"),
            ("snf-part-a", stay("snf_part_a", "2025-03-01"), "time.snf-part-a"),
            (
                "after-death",
                event(f.PatientDied(day("2025-03-02")), five_pm("2025-03-02")),
                "time.after-death",
            ),
            (
                "not-enrolled",
                event(f.PatientDisenrolled(day("2025-03-02"), "moved"), five_pm("2025-03-02")),
                "enrolment.in-force",
            ),
        ],
    )
    def test_a_day_that_does_not_count_names_the_fact_behind_it(
        self, reason: str, fact: Event, rule: str
    ) -> None:
        x = explained([*ready(MONTH), fact, staff("t1", "2025-03-05", 1260)])
        (part,) = entry_of(x, "t1").excluded
        assert (part.reason, part.seconds) == (reason, 1260)
        assert named(fact) in keys(part.evidence)
        assert rule_ids(part.rules) == [rule]
        assert "2025-03-05" in part.sentence

    def test_time_before_consent_and_visit_names_the_later_fact(self) -> None:
        late = consent("2025-03-10")
        base = [*without(ready(MONTH), f.ConsentRecorded), late, staff("t1", "2025-03-05", 600)]
        (part,) = entry_of(explained(base), "t1").excluded
        assert (part.reason, keys(part.evidence)) == ("before-consent", {named(late)})
        seen = visit("2025-03-10")
        base = [*without(ready(MONTH), f.VisitRecorded), seen, staff("t1", "2025-03-05", 600)]
        (part,) = entry_of(explained(base), "t1").excluded
        assert (part.reason, keys(part.evidence)) == ("before-initiating-visit", {named(seen)})

    def test_a_transition_before_2020_names_its_service(self) -> None:
        tcm = billed("99495", "2019-03-01", "2019-03-30")
        x = explained([*ready("2019-03"), tcm, staff("t1", "2019-03-05", 1260)], "2019-03")
        (part,) = entry_of(x, "t1").excluded
        assert (part.reason, keys(part.evidence)) == ("tcm-period", {named(tcm)})
        assert [s.effect for s in x.services] == ["tcm-period"]

    @pytest.mark.parametrize(
        ("reason", "changes"),
        [
            ("other-program", {"program": "rpm"}),
            ("not-countable", {"activity": "em_visit"}),
            ("non-clinical", {"performer": f.Performer("x", f.Role.NON_CLINICAL)}),
            ("outside-us", {"performer": f.Performer("x", f.Role.CLINICAL_STAFF, True)}),
        ],
    )
    def test_a_reason_inside_the_entry_names_the_entry_itself(
        self, reason: str, changes: dict[str, object]
    ) -> None:
        fact = replace(unclocked("t1", "2025-03-05", 600), **changes)  # type: ignore[arg-type]
        said = event(fact, five_pm("2025-03-05"))
        (part,) = entry_of(explained([*ready(MONTH), said]), "t1").excluded
        assert (part.reason, keys(part.evidence)) == (reason, {named(said)})
        assert rule_ids(part.rules) == list(EXCLUSION_REASONS[reason].rule_ids)

    def test_of_an_entry_over_month_end_only_the_part_inside_is_accounted(self) -> None:
        over = clocked("t1", "2025-03-31T23:50:00-04:00", "2025-04-01T00:20:00-04:00")
        x = explained([*ready(MONTH), over])
        assert entry_of(x, "t1").logged == 600
        assert "within the month" in entry_of(x, "t1").sentence


class TestLadders:
    def test_each_unit_names_the_day_and_the_entry_that_reached_it(self) -> None:
        x = explained(
            [*ready(MONTH), staff("t1", "2025-03-05", 1200), staff("t2", "2025-03-08", 1300)]
        )
        steps = ladder_of(x, Family.NON_COMPLEX).steps
        assert [(s.code, s.unit, s.reached_by, s.pool_seconds) for s in steps] == [
            ("99490", 1, "t1", 1200),
            ("99439", 1, "t2", 2500),
            ("99439", 2, None, None),
        ]
        assert steps[1].reached_on == date(2025, 3, 8)
        assert steps[2].seconds_to_go == 1100

    def test_unclocked_work_counts_at_the_end_of_its_day(self) -> None:
        later = clocked("t2", "2025-03-05T22:00:00-05:00", "2025-03-05T22:15:00-05:00")
        x = explained([*ready(MONTH), staff("t1", "2025-03-05", 600), later])
        assert ladder_of(x, Family.NON_COMPLEX).steps[0].reached_by == "t1"

    def test_a_family_below_its_threshold_says_how_far(self) -> None:
        x = explained([*ready(MONTH), staff("t1", "2025-03-05", 1199)])
        ladder = ladder_of(x, Family.NON_COMPLEX)
        assert not ladder.offered
        assert [o.identifier for o in ladder.obstacles] == ["below-threshold"]
        assert "1 s to go" in ladder.obstacles[0].sentence

    @pytest.mark.parametrize(
        ("judged", "identifier"),
        [
            ([], "mdm-missing"),
            ([mdm(MONTH, npi=OTHER_NPI)], "mdm-not-by-billing-practitioner"),
            (
                [event(f.ComplexityAssessed(MONTH, "low", NPI), five_pm("2025-03-15"))],
                "mdm-too-low",
            ),
        ],
    )
    def test_complex_time_without_the_decision_making_says_what_is_wrong_with_it(
        self, judged: list[Event], identifier: str
    ) -> None:
        x = explained([*ready(MONTH), *judged, staff("t1", "2025-03-05", 3600)])
        (obstacle,) = ladder_of(x, Family.COMPLEX).obstacles
        assert obstacle.identifier == identifier
        assert keys(obstacle.evidence) == {named(e) for e in judged}
        assert rule_ids(obstacle.rules) == ["complex.mdm"]

    def test_complex_in_2018_needs_a_plan_of_the_month(self) -> None:
        events = [*ready("2018-05"), mdm("2018-05"), staff("t1", "2018-05-05", 3600)]
        (obstacle,) = ladder_of(explained(events, "2018-05"), Family.COMPLEX).obstacles
        assert obstacle.identifier == "plan-not-revised"
        assert rule_ids(obstacle.rules) == ["complex.mdm-and-plan"]

    def test_a_family_that_the_date_or_the_provider_does_not_know_says_which(self) -> None:
        x = explained(ready("2018-05"), "2018-05")
        (obstacle,) = ladder_of(x, Family.PRACTITIONER).obstacles
        assert obstacle.identifier == "not-on-this-date-of-service"
        assert "2019-01-01" in obstacle.sentence
        (obstacle,) = ladder_of(x, Family.RHC).obstacles
        assert obstacle.identifier == "not-for-this-provider-kind"

    def test_a_rural_clinic_in_2024_is_offered_one_code_for_all_time_together(self) -> None:
        base = located(ready("2024-05"), provider_kind="rhc")
        events = [*base, staff("t1", "2024-05-06", 700), practitioner("t2", "2024-05-07", 500)]
        x = explained(events, "2024-05")
        ladder = ladder_of(x, Family.RHC)
        assert (ladder.offered, ladder.pool, ladder.seconds) == (True, "everyone", 1200)
        assert ladder.steps[0].reached_by == "t2"
        assert ladder_of(x, Family.NON_COMPLEX).obstacles[0].identifier == (
            "not-for-this-provider-kind"
        )
        assert x.options[0].payment is not None
        assert x.options[0].payment.amount == x.options[0].lines[0].amount == Decimal("72.90")
