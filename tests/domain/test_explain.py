"""An explanation names the right evidence and rule: the catalogue and every condition."""

from __future__ import annotations

from datetime import date

from domain import facts as f
from domain.assess.days import STAY_REASONS
from domain.assess.findings import ASKED_OF_AN_ENROLMENT
from domain.assess.warnings import WARNINGS as ASSESSED_WARNINGS
from domain.explain.catalogue import BLOCKERS, EVERY_ROW, EXCLUSION_REASONS, WARNINGS, cite
from domain.explain.conditions import SENTENCES
from domain.explain.repairs import OF_BLOCKER
from tests.explaining import (
    MONTH,
    billed,
    condition_of,
    explained,
    keys,
    named,
    rule_ids,
    without,
)
from tests.given import (
    OTHER_NPI,
    condition,
    consent,
    day,
    event,
    five_pm,
    ready,
    staff,
    visit,
)


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
