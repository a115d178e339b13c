"""Every form once: what it stores, what it demands, and who may fill it in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.facts import ConsentRecorded
from services.access import Role
from services.audit.access import accesses
from services.histories import history_of
from services.pages.enter.blanks import BLANKS
from tests.audit.growing import GrowingLog
from tests.given import ready
from tests.pages.asked import Pages, person
from tests.pages.closing import claim
from tests.pages.entering import (
    FORMS,
    MONTH,
    PAGE,
    TIME,
    command,
    fields,
    filled,
    head,
    last,
    log,
    pages,
    sent,
    wrong,
)

__all__ = ["command", "log", "pages"]


VALUES = {
    "consent": {"consented_on": "2025-03-06", "method": "verbal"},
    "consent-revoked": {"revoked_on": "2025-03-06"},
    "care-plan": {"action": "shared", "document": "binder 7"},
    "decision-making": {"mdm": "moderate"},
    "visit": {"hcpcs": "99214", "ccm_discussed": "yes"},
    "condition": {"code": "N18.3", "chronic": "yes"},
    "condition-resolved": {"code": "I10"},
    "enrolment": {"credential": "NP"},
    "disenrolment": {"reason": "moved away"},
    "stay": {"kind": "inpatient"},
    "service": {"hcpcs": "99495", "through": "2025-03-06", "npi": "1000000012"},
    "death": {"died_on": "2025-03-06"},
}


class TestEveryForm:
    def test_each_of_the_patients_forms_is_tried_here(self) -> None:
        offered = {blank.name for blank in BLANKS.values() if blank.offered}
        assert offered == {"time", *VALUES}

    @pytest.mark.parametrize("form", VALUES)
    async def test_it_stores_its_fact_in_the_persons_name(
        self, pages: Pages, log: GrowingLog, form: str
    ) -> None:
        answer = await sent(pages, form, **VALUES[form])
        if answer.status_code == 200:
            answer = await pages.post(f"{FORMS}/{form}", data=fields(answer.text))
        assert answer.status_code == 303, wrong(answer)
        said = last(log)
        assert (said["type"], said["entered_by"]) == (BLANKS[form].type, "Ada Byron")
        assert (await pages.get(answer.headers["location"])).status_code == 200

    async def test_a_claim_is_not_withdrawn_by_whoever_may_not_close(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        log.take([claim("99490")], log.now_us)
        event, before = history_of(log.store, "p1", "pt1").events[-1], head(log)
        named = {"event_source": event.source, "event_id": event.id}
        assert (await pages.get(f"{FORMS}/withdraw", params=named)).status_code == 404
        sent = named | {"reason": "why", "act": "0" * 32}
        assert (await pages.post(f"{FORMS}/withdraw", data=sent)).status_code == 404
        assert head(log) == before

    @pytest.mark.parametrize("form", BLANKS)
    async def test_empty_it_says_what_is_missing_next_to_each_field(
        self, pages: Pages, log: GrowingLog, form: str
    ) -> None:
        query = {"amend": "?entry_id=t1", "void": "?entry_id=t1"}.get(form, "")
        if form == "withdraw":
            event = history_of(log.store, "p1", "pt1").events[0]
            query = f"?event_source={event.source}&event_id={event.id}"
        held = await filled(pages, form, query)
        blank = BLANKS[form]
        kept = {f.name for f in blank.fields if f.kind == "kept"} | {"act", "revision", "seen"}
        answer = await pages.post(
            f"{FORMS}/{form}", data={name: held[name] for name in held if name in kept}
        )
        assert answer.status_code == 422
        needed = {f.name for f in blank.fields if f.is_required and f.kind not in ("flag", "kept")}
        found = set(wrong(answer))
        assert found >= needed or (blank.is_time and "on" in found), (needed, found)

    async def test_a_condition_is_not_chronic_unless_it_is_said(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await sent(pages, "condition", code="N18.3")
        assert last(log)["chronic"] is False

    async def test_somebody_new_is_enrolled(self, pages: Pages) -> None:
        start = await pages.get(f"/enter/p1/{MONTH}?patient=new-1")
        assert "Nobody of this id is known here." in start.text
        to = f"/enter/p1/{MONTH}/new-1/enrolment"
        assert to in start.text
        held = fields((await pages.get(to)).text)
        answer = await pages.post(to, data=held | {"npi": "1000000004", "credential": "MD"})
        assert answer.status_code == 303
        assert (await pages.get(answer.headers["location"])).status_code == 200
        start = await pages.get(f"/enter/p1/{MONTH}?patient=new-1")
        assert start.headers["location"] == f"/enter/p1/{MONTH}/new-1/time"

    async def test_a_wrong_npi_is_told(self, pages: Pages) -> None:
        answer = await sent(pages, "consent", method="verbal", npi="1000000005")
        assert "10 digits with a valid check digit" in wrong(answer)["npi"]


async def test_time_of_a_patient_without_consent_is_asked_about(
    pages: Pages, log: GrowingLog
) -> None:
    others = [e for e in ready(MONTH) if not isinstance(e.fact, ConsentRecorded)]
    log.take([replace(e, patient_id="pt3", id=f"c{e.id}") for e in others], log.now_us)
    form = f"/enter/p1/{MONTH}/pt3/time"
    held = fields((await pages.get(form)).text)
    assert "blocked by consent-missing" in (await pages.get(form)).text
    answer = await pages.post(form, data=held | TIME)
    assert "2:30 would not count in 2025-03: before a valid consent" in answer.text


class TestAPracticeThatHasNobodyYet:
    async def test_its_first_patient_is_enrolled_by_hand(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        pages.become(person(Role.COORDINATOR, "fresh"))
        assert (await pages.get("/enter")).headers["location"] == f"/enter/fresh/{MONTH}"
        to = f"/enter/fresh/{MONTH}/new-1/enrolment"
        assert to in (await pages.get(f"/enter/fresh/{MONTH}?patient=new-1")).text
        held = fields((await pages.get(to)).text)
        answer = await pages.post(to, data=held | {"npi": "1000000004", "credential": "MD"})
        assert answer.status_code == 303
        assert log.store.versions(["fresh/new-1"]) == {"fresh/new-1": 1}

    async def test_its_other_pages_are_empty(self, pages: Pages) -> None:
        pages.become(person(Role.ADMIN, "fresh"))
        for page in ("board", "close", "queue", "enter"):
            assert (await pages.get(f"/{page}/fresh/{MONTH}")).status_code == 200

    async def test_nobody_else_finds_it(self, pages: Pages) -> None:
        pages.become(person(Role.ADMIN, "p1"))
        assert (await pages.get(f"/enter/fresh/{MONTH}")).status_code == 404


class TestWhoMay:
    @pytest.mark.parametrize("role", [Role.BILLER, Role.AUDITOR, Role.INTEGRATOR])
    async def test_only_who_may_enter_sees_or_does_anything(
        self, pages: Pages, log: GrowingLog, role: Role
    ) -> None:
        form = await filled(pages, "time", **TIME)
        before = head(log)
        pages.become(person(role, "p1"))
        assert (await pages.get(f"{FORMS}/time")).status_code == 403
        assert (await pages.post(f"{FORMS}/time", data=form)).status_code == 403
        assert "/enter/" not in (await pages.get(PAGE)).text
        assert head(log) == before

    async def test_another_practices_patient_is_not_there(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        form = await filled(pages, "time", **TIME)
        before = head(log)
        pages.become(person(Role.COORDINATOR, "p2"))
        assert (await pages.get(f"{FORMS}/time")).status_code == 404
        assert (await pages.post(f"{FORMS}/time", data=form)).status_code == 404
        assert head(log) == before

    async def test_a_patient_whom_nobody_enrolled_has_no_other_form(self, pages: Pages) -> None:
        assert (await pages.get(f"/enter/p1/{MONTH}/nobody/time")).status_code == 404
        form = await filled(pages, "time", **TIME)
        answer = await pages.post(f"/enter/p1/{MONTH}/nobody/time", data=form)
        assert answer.status_code == 404

    async def test_no_such_form(self, pages: Pages) -> None:
        assert (await pages.get(f"{FORMS}/nothing")).status_code == 404

    async def test_every_look_and_act_is_written_down_first(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await sent(pages, "time", **TIME)
        looked, acted = list(accesses(log.store))[-2:]
        wanted = {"practice": "p1", "month": MONTH, "patient": "pt1", "form": "time"}
        assert looked.wanted == acted.wanted == wanted

    async def test_what_was_known_earlier_is_not_for_changing(self, pages: Pages) -> None:
        then = await pages.get(PAGE, params={"as_of": "2025-03-07T00:00:00Z"})
        assert "/enter/p1" in (await pages.get(PAGE)).text
        assert f"{FORMS}/amend" not in then.text
