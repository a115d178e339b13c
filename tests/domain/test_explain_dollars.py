"""An explanation works dollars out as a reader could, and remarks on what does not block."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain import facts as f
from domain.fees.figures import FigureSet, LocalityAmount
from domain.fees.schedule import BUILT_IN
from domain.policy import Policy
from domain.rules import RuleBook
from domain.rules.codes import Family
from tests.explaining import (
    MONTH,
    billed,
    claimed,
    explained,
    keys,
    located,
    named,
    remark_of,
    rule_ids,
    without,
)
from tests.given import (
    NPI,
    OTHER_NPI,
    day,
    event,
    five_pm,
    mdm,
    practitioner,
    ready,
    staff,
    unclocked,
    visit,
)


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
