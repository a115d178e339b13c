"""An explanation names the right evidence and rule for every part of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from domain import facts as f
from domain.assess import assess
from domain.assess.assessment import Assessment, Status
from domain.assess.days import STAY_REASONS
from domain.assess.findings import ASKED_OF_AN_ENROLMENT
from domain.assess.warnings import WARNINGS as ASSESSED_WARNINGS
from domain.event import Event
from domain.explain import Explanation, explain
from domain.explain.catalogue import BLOCKERS, EVERY_ROW, EXCLUSION_REASONS, WARNINGS, cite
from domain.explain.conditions import SENTENCES
from domain.explain.explanation import Condition, EntryAccount, EventRef, Ladder, Remark, WhatIf
from domain.explain.remedies import latest
from domain.explain.repairs import OF_BLOCKER
from domain.fees.figures import FigureSet, LocalityAmount
from domain.fees.schedule import BUILT_IN
from domain.policy import Policy
from domain.rules import BOOK, RuleBook
from domain.rules.codes import Family
from tests.given import (
    NPI,
    OTHER_NPI,
    clocked,
    condition,
    consent,
    day,
    enrolled,
    event,
    five_pm,
    folded,
    mdm,
    practitioner,
    ready,
    staff,
    then,
    unclocked,
    visit,
    voided,
)
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

MONTH = "2025-03"


def explained(
    events: Sequence[Event], month: str = MONTH, policy: Policy | None = None, book: RuleBook = BOOK
) -> Explanation:
    return explain(folded(events), month, book, policy or Policy())


def without(events: Sequence[Event], *kinds: type) -> list[Event]:
    return [said for said in events if not isinstance(said.fact, kinds)]


def named(said: Event) -> tuple[str, str]:
    return said.key


def keys(refs: Sequence[EventRef]) -> set[tuple[str, str]]:
    return {(ref.source, ref.id) for ref in refs}


def condition_of(x: Explanation, blocker: str) -> Condition:
    return next(c for c in x.conditions if c.blocker == blocker)


def entry_of(x: Explanation, entry_id: str) -> EntryAccount:
    return next(e for e in x.entries if e.entry_id == entry_id)


def ladder_of(x: Explanation, family: Family) -> Ladder:
    return next(ladder for ladder in x.ladders if ladder.family is family)


def remark_of(x: Explanation, warning: str) -> Remark:
    return next(r for r in x.remarks if r.warning == warning)


def what_ifs(x: Explanation, kind: str) -> list[WhatIf]:
    return [w for w in x.what_ifs if w.kind == kind]


def rule_ids(rules: Sequence[object]) -> list[str]:
    return [rule.rule_id for rule in rules]  # type: ignore[attr-defined]


def billed(hcpcs: str, first: str, last: str, npi: str = NPI) -> Event:
    return event(f.ServiceBilled(hcpcs, day(first), day(last), npi), five_pm(last))


def stay(kind: str, first: str, last: str | None = None) -> Event:
    fact = f.StayRecorded(kind, day(first), day(last) if last else None)  # type: ignore[arg-type]
    return event(fact, five_pm(last or first))


def claimed(month: str, on: str, *codes: tuple[str, int]) -> Event:
    lines = tuple(f.CodeUnits(code, units) for code, units in codes)
    return event(f.MonthClaimed(month, lines, "c1", day(on)), five_pm(on))


def located(events: Sequence[Event], **changes: object) -> list[Event]:
    """The same patient with another enrolment."""
    return [
        event(replace(e.fact, **changes), e.time) if isinstance(e.fact, f.PatientEnrolled) else e  # type: ignore[arg-type]
        for e in events
    ]


class TestCatalogue:
    """Every identifier of the rules page has words and a citation."""

    def test_every_exclusion_reason_blocker_and_warning_is_explained_and_cited(self) -> None:
        for meanings in (EXCLUSION_REASONS, BLOCKERS, WARNINGS):
            for meaning in meanings.values():
                assert meaning.sentence
                assert meaning.rule_ids
                for rule_id in meaning.rule_ids:
                    assert cite(rule_id).source

    def test_the_catalogue_has_the_identifiers_that_are_assessed_and_no_others(self) -> None:
        assert set(WARNINGS) == {name for name, _ in ASSESSED_WARNINGS}
        asked = len(ASKED_OF_AN_ENROLMENT)
        assert len(BLOCKERS) == asked
        assert set(BLOCKERS) == set(SENTENCES) == set(OF_BLOCKER)
        assert set(STAY_REASONS.values()) <= set(EXCLUSION_REASONS)

    def test_the_identifiers_are_those_of_the_rules_page_in_its_order(self) -> None:
        assert list(EXCLUSION_REASONS) == [
            "voided",
            "other-program",
            "non-clinical",
            "outside-us",
            "not-countable",
            "after-death",
            "not-enrolled",
            "before-consent",
            "before-initiating-visit",
            "inpatient",
            "snf-part-a",
            "tcm-period",
            "overlap",
        ]
        assert list(BLOCKERS) == [
            "not-enrolled",
            "consent-missing",
            "consent-revoked",
            "conditions-fewer-than-two",
            "care-plan-missing",
            "initiating-visit-missing",
            "provider-not-eligible",
            "competing-service",
            "billed-elsewhere",
        ]

    def test_rule_identifiers_are_unique_on_every_day(self) -> None:
        seen: dict[str, list[tuple[date, date]]] = {}
        for row in EVERY_ROW:
            spans = seen.setdefault(row.rule_id, [])
            last = row.last or date.max
            assert all(last < a or row.first > b for a, b in spans), row.rule_id
            spans.append((row.first, last))


class TestConditions:
    def test_a_billable_month_names_the_event_that_meets_each_condition(self) -> None:
        base = ready(MONTH)
        x = explained([*base, staff("t1", "2025-03-05", 1260)])
        assert all(c.met for c in x.conditions)
        said = {type(e.fact): named(e) for e in base}
        assert keys(condition_of(x, "consent-missing").evidence) == {said[f.ConsentRecorded]}
        assert keys(condition_of(x, "care-plan-missing").evidence) == {said[f.CarePlanRecorded]}
        assert keys(condition_of(x, "initiating-visit-missing").evidence) == {said[f.VisitRecorded]}
        assert keys(condition_of(x, "not-enrolled").evidence) == {said[f.PatientEnrolled]}
        codes = {named(e) for e in base if isinstance(e.fact, f.ConditionRecorded)}
        assert keys(condition_of(x, "conditions-fewer-than-two").evidence) == codes

    def test_the_rule_is_the_one_of_the_month_with_its_days_and_source(self) -> None:
        late = condition_of(explained(ready(MONTH)), "consent-missing").rules[0]
        assert (late.rule_id, late.first) == ("consent.verbal-or-written", date(2017, 1, 1))
        early = condition_of(explained(ready("2016-05"), "2016-05"), "consent-missing").rules[0]
        assert (early.rule_id, early.last) == ("consent.written", date(2016, 12, 31))
        assert early.confidence == "official"
        assert "909188" in early.source

    def test_a_missing_consent_names_the_consents_that_do_not_serve(self) -> None:
        base = without(ready(MONTH), f.ConsentRecorded)
        theirs, late = consent("2025-02-01", npi=OTHER_NPI), consent("2025-04-02")
        x = explained([*base, theirs, late, staff("t1", "2025-03-05", 1260)])
        found = condition_of(x, "consent-missing")
        assert not found.met
        assert found.evidence == ()
        assert keys([s.event for s in found.falls_short]) == {named(theirs), named(late)}
        assert OTHER_NPI in found.falls_short[0].sentence
        assert "after the month" in found.falls_short[1].sentence

    def test_a_verbal_consent_before_2017_is_told_to_be_of_the_wrong_form(self) -> None:
        base = without(ready("2016-05"), f.ConsentRecorded)
        verbal = consent("2016-03-01", method="verbal")
        found = condition_of(explained([*base, verbal], "2016-05"), "consent-missing")
        assert "written" in found.falls_short[0].sentence

    def test_a_revocation_names_itself_and_its_month_end_effect(self) -> None:
        revoked = event(f.ConsentRevoked(day("2025-02-10")), five_pm("2025-02-10"))
        events = [*ready(MONTH), revoked, staff("t1", "2025-03-05", 1260)]
        found = condition_of(explained(events), "consent-revoked")
        assert (found.met, keys(found.evidence)) == (False, {named(revoked)})
        assert "2025-02-10" in found.sentence
        same_month = condition_of(explained(events, "2025-02"), "consent-revoked")
        assert same_month.met
        assert "end of 2025-02" in same_month.sentence

    def test_conditions_that_are_recorded_but_do_not_count_are_named(self) -> None:
        base = [e for e in ready(MONTH) if e.fact != f.ConditionRecorded("E11.9", True)]
        unattested = condition("E78.5", "2025-02-01", chronic=False)
        found = condition_of(explained([*base, unattested]), "conditions-fewer-than-two")
        assert not found.met
        assert keys([s.event for s in found.falls_short]) == {named(unattested)}

    def test_a_visit_that_does_not_qualify_says_every_reason(self) -> None:
        base = without(ready(MONTH), f.VisitRecorded)
        phone = visit("2023-05-01", hcpcs="99441", npi=OTHER_NPI)
        found = condition_of(explained([*base, phone]), "initiating-visit-missing")
        said = found.falls_short[0].sentence
        for why in ("another practitioner", "does not qualify", "before 2024-01-01"):
            assert why in said

    def test_a_competing_service_is_cited_by_its_own_rule(self) -> None:
        other = billed("90960", "2025-03-01", "2025-03-31")
        found = condition_of(explained([*ready(MONTH), other]), "competing-service")
        assert (found.met, keys(found.evidence)) == (False, {named(other)})
        assert rule_ids(found.rules) == ["service.esrd-monthly"]


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


class TestDollars:
    def test_the_work_behind_each_unit_gives_the_amount_of_the_option(self) -> None:
        x = explained([*ready(MONTH), staff("t1", "2025-03-05", 3600)])
        (option,) = x.options
        assert option.payment is not None
        assert option.payment.amount == Decimal("152.35")
        base, addon = option.lines
        assert base.work is not None
        assert base.work.sentence == "(1.00 + 0.81 + 0.06) x 32.3465 = 60.49"
        assert (addon.units, addon.unit_amount, addon.amount) == (
            2,
            Decimal("45.93"),
            Decimal("91.86"),
        )

    def test_a_locality_shows_its_indices(self) -> None:
        base = located(ready("2024-05"), locality="13202-01")
        (option,) = explained([*base, staff("t1", "2024-05-09", 1200)], "2024-05").options
        work = option.lines[0].work
        assert work is not None
        assert work.gpci_pe == Decimal("1.166")
        assert option.lines[0].amount == Decimal("70.75")
        assert "1.00 x 1.065 + 0.81 x 1.166 + 0.07 x 1.656" in work.sentence

    def test_a_nurse_practitioner_shows_the_share(self) -> None:
        base = located(ready(MONTH), billing_practitioner=f.Practitioner(NPI, "NP"))
        (option,) = explained([*base, staff("t1", "2025-03-05", 1200)]).options
        work = option.lines[0].work
        assert work is not None
        assert (work.full_amount, work.share) == (Decimal("60.49"), Decimal("0.85"))
        assert option.lines[0].amount == Decimal("51.42")

    def test_a_year_without_figures_says_which_figure_is_missing(self) -> None:
        x = explained([*ready("2018-05"), staff("t1", "2018-05-05", 1200)], "2018-05")
        (option,) = x.options
        assert option.payment is None
        assert option.lines[0].missing == "relative value units of 99490 on 2018-05-05"
        assert "relative value units" in remark_of(x, "fee-missing").sentence

    def test_an_unknown_locality_is_the_missing_figure(self) -> None:
        base = located(ready(MONTH), locality="99999-99")
        (option,) = explained([*base, staff("t1", "2025-03-05", 1200)]).options
        assert option.lines[0].missing == "the cost indices of locality 99999-99 on 2025-03-05"

    def test_an_amount_that_cms_priced_is_shown_as_such(self) -> None:
        priced = LocalityAmount(
            "13202-01",
            "99490",
            date(2025, 1, 1),
            date(2025, 12, 31),
            Decimal("68.21"),
            Decimal("50.00"),
        )
        book = RuleBook(BUILT_IN.with_figures(FigureSet(amounts=(priced,))))
        base = located(ready(MONTH), locality="13202-01")
        x = explained([*base, staff("t1", "2025-03-05", 1200)], book=book)
        work = x.options[0].lines[0].work
        assert work is not None
        assert (work.priced, work.factor, len(work.imports)) == (Decimal("68.21"), None, 1)
        assert x.basis.fee_layers == 2

    def test_a_blocked_month_shows_what_would_be_offered_as_not_legal(self) -> None:
        base = without(ready(MONTH), f.ConsentRecorded)
        (option,) = explained([*base, staff("t1", "2025-03-05", 1200)]).options
        assert (option.legal, option.selected) == (False, False)

    def test_of_several_legal_options_the_selected_one_is_marked(self) -> None:
        events = [*ready(MONTH), mdm(MONTH), staff("t1", "2025-03-05", 3600)]
        x = explained(events, policy=Policy(selection="highest-payment"))
        assert [(o.family, o.selected) for o in x.options] == [
            (Family.COMPLEX, False),
            (Family.NON_COMPLEX, True),
        ]
        assert [o.payment.amount for o in x.options if o.payment] == [
            Decimal("131.65"),
            Decimal("152.35"),
        ]

    def test_the_complex_option_names_its_decision_making_and_plan(self) -> None:
        revised = event(f.CarePlanRecorded("revised", day("2018-05-20")), five_pm("2018-05-20"))
        judged = mdm("2018-05")
        events = [*ready("2018-05"), judged, revised, staff("t1", "2018-05-05", 3600)]
        option = explained(events, "2018-05").options[0]
        assert option.family is Family.COMPLEX
        assert keys(option.evidence) == {named(judged), named(revised)}
        assert "complex.mdm-and-plan" in rule_ids(option.rules)


class TestWhatIfs:
    """Every suggestion is checked here by saying the fact for real."""

    def test_time_that_waits_for_a_consent_is_worth_nothing_yet(self) -> None:
        """Nothing blocks the month; what it would earn with an earlier consent it has not."""
        events = [
            *without(ready(MONTH), f.ConsentRecorded),
            consent("2025-03-04"),
            staff("t1", "2025-03-03", 700),
            staff("t2", "2025-03-05", 700),
        ]
        x = explained(events)
        assert (x.assessment.options, x.assessment.blockers) == ((), ())
        gains = {w.offered[0].code: w.change for w in what_ifs(x, "add-time")}
        assert gains == {"99490": Decimal("60.49"), "99491": Decimal("82.16")}
        assert not any("instead of" in w.sentence for w in what_ifs(x, "add-time"))
        assert what_ifs(x, "void-entry") == []
        assert [w.change for w in what_ifs(x, "record-consent")] == [Decimal("60.49")]

    def test_more_seconds_reach_the_next_unit_and_one_fewer_do_not(self) -> None:
        base = [*ready(MONTH), staff("t1", "2025-03-05", 3300)]
        (more,) = [w for w in what_ifs(explained(base), "add-time") if "-> 99439" in w.sentence]
        assert more.sentence.startswith("300 more staff seconds by 2025-03-31 -> 99439 unit 2")
        assert more.change == Decimal("45.93")
        assert more.by is not None
        assert more.seconds is not None
        after = then([*base, staff("t9", more.by, more.seconds)], MONTH)
        assert after.codes == more.codes == (f.CodeUnits("99490", 1), f.CodeUnits("99439", 2))
        short = then([*base, staff("t9", more.by, more.seconds - 1)], MONTH)
        assert short.codes != more.codes

    def test_more_time_is_offered_on_a_day_that_counts(self) -> None:
        out = event(f.PatientDisenrolled(day("2025-03-20"), "moved"), five_pm("2025-03-20"))
        x = explained([*ready(MONTH), out, staff("t1", "2025-03-05", 900)])
        assert {w.by for w in what_ifs(x, "add-time")} == {date(2025, 3, 20)}

    def test_a_step_to_another_family_tells_what_the_policy_would_select(self) -> None:
        x = explained([*ready(MONTH), staff("t1", "2025-03-05", 3600)])
        (more,) = [w for w in what_ifs(x, "add-time") if "-> 99491" in w.sentence]
        assert more.family is Family.PRACTITIONER
        assert "instead of 99490 + 99439 x2 (-70.19)" in more.sentence

    def test_a_consent_serves_through_its_day_and_not_a_day_longer(self) -> None:
        base = [
            *without(ready(MONTH), f.ConsentRecorded),
            staff("t1", "2025-03-05", 600),
            staff("t2", "2025-03-09", 1200),
        ]
        (wanted,) = what_ifs(explained(base), "record-consent")
        assert wanted.by == date(2025, 3, 9)
        assert wanted.change == Decimal("60.49")
        assert then([*base, consent(wanted.by)], MONTH).codes == wanted.codes
        after = then([*base, consent(wanted.by + timedelta(days=1))], MONTH)
        assert after.codes != wanted.codes

    def test_several_blockers_are_lifted_one_by_one_and_all_together(self) -> None:
        base = [enrolled("2025-01-01"), staff("t1", "2025-03-05", 1260)]
        x = explained(base)
        for alone in ("record-consent", "record-visit", "record-care-plan", "attest-condition"):
            (one,) = what_ifs(x, alone)
            assert len(one.blockers) == 3
            assert "still blocked" in one.sentence
        (together,) = what_ifs(x, "all-of-these")
        assert (together.status, together.blockers) == ("billable", ())
        assert together.by == date(2025, 3, 5)
        said = [e for e in ready(MONTH) if not isinstance(e.fact, f.PatientEnrolled)]
        assert then([*base, *said], MONTH).codes == together.codes

    def test_a_recorded_condition_is_suggested_for_attestation(self) -> None:
        base = [
            *[e for e in ready(MONTH) if e.fact != f.ConditionRecorded("E11.9", True)],
            condition("E78.5", "2025-02-01", chronic=False),
            staff("t1", "2025-03-05", 1260),
        ]
        (wanted,) = what_ifs(explained(base), "attest-condition")
        assert wanted.sentence.startswith("attesting E78.5 as chronic -> 99490")
        attested = event(f.ConditionRecorded("E78.5", True), "2025-04-01T12:00:00Z")
        assert then([*base, attested], MONTH).codes == wanted.codes

    def test_a_revoked_consent_wants_a_new_one(self) -> None:
        revoked = event(f.ConsentRevoked(day("2025-02-10")), five_pm("2025-02-10"))
        base = [*ready(MONTH), revoked, staff("t1", "2025-03-05", 1260)]
        (wanted,) = what_ifs(explained(base), "record-consent")
        assert then([*base, consent(wanted.by or "")], MONTH).codes == wanted.codes

    def test_a_conflicting_service_would_have_to_be_withdrawn(self) -> None:
        other = billed("99424", "2025-03-01", "2025-03-31")
        base = [*ready(MONTH), other, staff("t1", "2025-03-05", 1260)]
        (wanted,) = what_ifs(explained(base), "withdraw-service")
        gone = event(f.EventRetracted(other.source, other.id, "x"), "2025-04-01T12:00:00Z")
        assert then([*base, gone], MONTH).codes == wanted.codes == (f.CodeUnits("99490", 1),)

    def test_an_enrolment_is_wanted_where_none_covers_the_month(self) -> None:
        base = [*without(ready(MONTH), f.PatientEnrolled), staff("t1", "2025-03-05", 1260)]
        (wanted,) = what_ifs(explained(base), "record-enrolment")
        assert wanted.by is not None
        assert then([*base, enrolled(wanted.by)], MONTH).codes == wanted.codes
        assert wanted.codes == (f.CodeUnits("99490", 1),)

    def test_an_open_stay_wants_its_discharge(self) -> None:
        base = [*ready(MONTH), stay("inpatient", "2025-03-02"), staff("t1", "2025-03-05", 1260)]
        (wanted,) = what_ifs(explained(base), "record-discharge")
        assert wanted.by == date(2025, 3, 5)
        home = event(
            f.StayRecorded("inpatient", day("2025-03-02"), wanted.by), "2025-03-05T18:00:00Z"
        )
        assert then([*base, home], MONTH).codes == wanted.codes

    def test_voiding_an_entry_that_a_unit_hangs_on_loses_it(self) -> None:
        base = [
            *ready(MONTH),
            staff("t1", "2025-03-05", 1200),
            staff("t2", "2025-03-06", 800),
            staff("t3", "2025-03-07", 400),
        ]
        losses = what_ifs(explained(base), "void-entry")
        one = next(w for w in losses if "t3" in w.entry_ids)
        assert sorted(e for loss in losses for e in loss.entry_ids) == ["t1", "t2", "t3"]
        for loss in losses:
            for entry_id in loss.entry_ids:
                after = then([*base, voided(entry_id, "2025-04-01T12:00:00Z")], MONTH)
                assert after.codes == loss.codes
        assert "t3 (-400 s)" in one.sentence
        assert one.change == Decimal("-45.93")

    def test_an_entry_that_nothing_hangs_on_is_not_listed(self) -> None:
        x = explained(
            [*ready(MONTH), staff("t1", "2025-03-05", 1260), staff("t2", "2025-03-06", 9)]
        )
        assert [w.entry_ids for w in what_ifs(x, "void-entry")] == [("t1",)]

    def test_a_decision_making_would_offer_the_complex_family(self) -> None:
        base = [*ready(MONTH), staff("t1", "2025-03-05", 5400)]
        (wanted,) = what_ifs(explained(base), "assess-complexity")
        assert then([*base, mdm(MONTH)], MONTH).codes == wanted.codes
        assert wanted.change == Decimal("202.17") - Decimal("152.35")

    def test_complex_in_2018_wants_the_decision_making_and_the_plan(self) -> None:
        base = [*ready("2018-05"), staff("t1", "2018-05-05", 3600)]
        (wanted,) = what_ifs(explained(base, "2018-05"), "assess-complexity")
        assert "care plan revised" in wanted.sentence
        revised = event(f.CarePlanRecorded("revised", day("2018-05-31")), five_pm("2018-05-31"))
        assert then([*base, mdm("2018-05"), revised], "2018-05").codes == wanted.codes

    def test_a_diverged_claim_wants_the_claim_that_the_facts_support(self) -> None:
        base = [
            *ready(MONTH),
            staff("t1", "2025-03-05", 1260),
            claimed(MONTH, "2025-04-02", ("99490", 1), ("99439", 1)),
        ]
        x = explained(base)
        assert x.assessment.status is Status.DIVERGED
        (wanted,) = what_ifs(x, "correct-claim")
        again = claimed(MONTH, "2025-04-09", *((c.code, c.units) for c in wanted.offered))
        assert then([*base, again], MONTH).status is Status.CLAIMED

    def test_the_patient_that_is_explained_is_not_changed(self) -> None:
        patient = folded([*ready(MONTH), staff("t1", "2025-03-05", 1260)])
        before = (patient.version, dict(patient.events), assess(patient, MONTH, BOOK, Policy()))
        explain(patient, MONTH, BOOK, Policy())
        explain(patient, MONTH, BOOK, Policy())
        assert before == (
            patient.version,
            dict(patient.events),
            assess(patient, MONTH, BOOK, Policy()),
        )

    def test_the_last_day_that_serves_is_found_whichever_it_is(self) -> None:
        first, last = date(2025, 3, 1), date(2025, 3, 31)
        for number in range(31):
            limit = first + timedelta(days=number)
            assert latest(first, last, lambda d, limit=limit: d <= limit) == limit  # type: ignore[misc]


class TestRemarks:
    def test_each_warning_names_its_events_and_rule(self) -> None:
        late = event(unclocked("t2", "2025-03-05", 60), "2025-03-20T12:00:00Z")
        beside = billed("99457", "2025-03-01", "2025-03-31")
        seen = visit("2025-03-05")
        claim = claimed(MONTH, "2025-03-18", ("99490", 1))
        log = staff("t1", "2025-03-05", 1260)
        x = explained([*ready(MONTH), log, late, beside, seen, claim, mdm(MONTH, npi=OTHER_NPI)])
        found = {r.warning: r for r in x.remarks}
        assert tuple(found) == x.assessment.warnings
        assert keys(found["contemporaneity"].evidence) == {named(late)}
        assert "t2 after 14 days" in found["contemporaneity"].sentence
        assert keys(found["concurrent-service"].evidence) == {named(beside)}
        assert rule_ids(found["concurrent-service"].rules) == ["service.remote-monitoring"]
        assert keys(found["same-day-visit"].evidence) == {named(seen)}
        assert keys(found["unclocked-time"].evidence) == {named(log), named(late)}
        assert keys(found["late-after-claim"].evidence) == {named(claim), named(late)}
        assert rule_ids(found["mdm-not-by-billing-practitioner"].rules) == ["complex.mdm"]

    def test_units_beyond_the_edit_name_code_and_limit(self) -> None:
        x = explained([*ready(MONTH), practitioner("t1", "2025-03-05", 4 * 1800)])
        remark = remark_of(x, "mue-exceeded")
        assert "99437 x3, more than 2" in remark.sentence
        assert rule_ids(remark.rules) == ["code.99437"]


class TestServicesAndClaims:
    def test_services_are_listed_with_what_they_do_and_the_rule(self) -> None:
        own = billed("G0181", "2025-03-01", "2025-03-31")
        theirs = billed("99490", "2025-03-31", "2025-03-31", npi=OTHER_NPI)
        beside = billed("99484", "2025-03-01", "2025-03-31", npi=OTHER_NPI)
        elsewhere = billed("99490", "2025-04-01", "2025-04-30", npi=OTHER_NPI)
        x = explained([*ready(MONTH), own, theirs, beside, elsewhere])
        assert [(s.hcpcs, s.effect, s.rule.rule_id, s.same_practitioner) for s in x.services] == [
            ("G0181", "competing-service", "service.home-health-oversight", True),
            ("99490", "billed-elsewhere", "service.ccm-elsewhere", False),
            ("99484", "concurrent-service", "service.behavioral-health", False),
        ]

    def test_a_claim_that_diverged_says_what_the_facts_support(self) -> None:
        claim = claimed(MONTH, "2025-04-02", ("99490", 1), ("99439", 1))
        x = explained([*ready(MONTH), staff("t1", "2025-03-05", 1260), claim])
        assert x.claim is not None
        assert x.claim.supported_as is None
        assert x.claim.sentence == (
            "Claimed 99490 + 99439 on 2025-04-02; today's facts support 99490 instead."
        )
        assert keys([x.claim.evidence]) == {named(claim)}

    def test_a_claim_that_agrees_names_the_family(self) -> None:
        claim = claimed(MONTH, "2025-04-02", ("99490", 1))
        x = explained([*ready(MONTH), staff("t1", "2025-03-05", 1260), claim])
        assert x.claim is not None
        assert x.claim.supported_as is Family.NON_COMPLEX


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
