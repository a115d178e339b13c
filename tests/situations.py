"""Patient-months worth reading an explanation of: each requirement unmet, each way not to count."""

from __future__ import annotations

from tests.situated.counted import (
    a_change_of_practitioner_at_midnight,
    a_change_of_practitioner_before_either_visit,
    a_long_month,
    across_midnights,
    an_open_stay,
    complex_judged_by_another,
    complex_without_its_plan,
    every_reason_not_to_count,
    left_within_the_month,
    one_stay_after_another,
    seconds_to_go,
    who_was_there_first,
)
from tests.situated.needed import (
    an_earlier_consent_would_bring_more,
    between_two_enrolments,
    consent_renewed,
    consent_taken_back,
    enrolment_over,
    everybody_needed_a_visit_and_a_signature,
    everything_in_order,
    nearly_every_requirement,
    nobody_enrolled_the_patient,
    nothing_on_record,
    one_condition_attested,
    one_condition_known,
    others_in_the_month,
    too_little_time_and_no_consent,
    two_conditions_known,
)
from tests.situated.paid import (
    a_claim_no_longer_supported,
    a_claim_on_a_blocked_month,
    a_claim_supported_otherwise,
    a_claim_that_agrees,
    a_claim_without_ground,
    a_clinic_in_its_year_of_change,
    a_clinic_when_complex_care_began,
    a_figure_missing_ahead,
    a_price_for_each_kind_of_practitioner,
    a_price_set_for_the_place,
    complex_without_anything,
    figures_that_are_not_known,
)
from tests.situated.words import Situation

__all__ = ["SITUATIONS", "Situation"]

SITUATIONS = {
    make().name: make
    for make in (
        everything_in_order,
        nobody_enrolled_the_patient,
        nothing_on_record,
        enrolment_over,
        nearly_every_requirement,
        everybody_needed_a_visit_and_a_signature,
        others_in_the_month,
        consent_taken_back,
        consent_renewed,
        every_reason_not_to_count,
        an_open_stay,
        complex_without_its_plan,
        complex_judged_by_another,
        a_claim_no_longer_supported,
        a_claim_supported_otherwise,
        a_clinic_when_complex_care_began,
        a_clinic_in_its_year_of_change,
        a_price_set_for_the_place,
        figures_that_are_not_known,
        seconds_to_go,
        a_claim_that_agrees,
        complex_without_anything,
        one_condition_attested,
        one_condition_known,
        two_conditions_known,
        too_little_time_and_no_consent,
        an_earlier_consent_would_bring_more,
        between_two_enrolments,
        a_change_of_practitioner_at_midnight,
        a_change_of_practitioner_before_either_visit,
        who_was_there_first,
        one_stay_after_another,
        a_long_month,
        a_price_for_each_kind_of_practitioner,
        a_figure_missing_ahead,
        across_midnights,
        a_claim_on_a_blocked_month,
        left_within_the_month,
        a_claim_without_ground,
    )
}
