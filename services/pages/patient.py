"""The page of a patient's month: as it stands, or as it was known at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.explain.explanation import OtherService, Remark
from domain.explain.wording import codes
from domain.facts import Month
from domain.patient import months_known
from services.access.principal import Right
from services.api.addresses import address as api_address
from services.explain.sources import cited_rules, days_in_force
from services.histories import Unanswerable
from services.pages.checklist import Check, checklist
from services.pages.chronicle import Happening, chronicle
from services.pages.claimed import Claimed, claimed
from services.pages.curve import Curve, curves
from services.pages.enter.blanks import BLANKS
from services.pages.enter.effect import Effect, effect_of
from services.pages.enter.ways import form_address
from services.pages.ids import part
from services.pages.knowing import NOTHING, Difference, Row, Stop, difference
from services.pages.moments import Moment, asked
from services.pages.place import Place, Refusal
from services.pages.rungs import Choice, Family, choices, families, why_picked
from services.pages.shell import Shell
from services.pages.timeline import Picture, picture
from services.pages.timetable import Account, Span, accounts, spans
from services.pages.words import minutes, paid
from services.views.record import Known, Record, record_of

PATH: Final = "/patients/{practice:id}/{patient:id}/{month}"
NAME: Final = "patient"


def address(practice: str, patient: str, month: str) -> str:
    """Where the page of a patient's month is."""
    return f"/patients/{part(practice)}/{part(patient)}/{month}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the summary."""

    key: str
    label: str
    says: str


@dataclass(frozen=True, slots=True)
class Caution:
    """A warning, or another service in the month."""

    name: str
    says: str
    key: str

    @classmethod
    def of_remark(cls, remark: Remark) -> Caution:
        return cls(remark.warning, remark.sentence, f"warning {remark.warning}")

    @classmethod
    def of_service(cls, service: OtherService) -> Caution:
        key = f"service {service.evidence.id} {service.effect}"
        return cls(service.effect, service.sentence, key)


@dataclass(frozen=True)
class Sheet:
    """Everything the page shows of one moment, each part worked out once."""

    known: Known

    @cached_property
    def summary(self) -> tuple[Line, ...]:
        """Status, codes, dollars and time of the month."""
        answer = self.known.answer
        seconds, on = answer.seconds, answer.date_of_service
        counted = minutes(seconds.logged - seconds.excluded)
        blocked = f": {', '.join(answer.blockers)}" if answer.blockers else ""
        said = {
            "status": answer.status.value + (blocked if answer.status != "billable" else ""),
            "codes": codes(answer.codes) + (f", date of service {on}" if on else ""),
            "amount": paid(answer.payment) if answer.codes else "nothing to bill",
            "time": f"{counted} counts of {minutes(seconds.logged)} logged",
        }
        return tuple(Line(name, name.capitalize(), says) for name, says in said.items())

    @cached_property
    def claim(self) -> Claimed | None:
        return claimed(self.known)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        return checklist(self.known)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        return families(self.known)

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        return choices(self.known)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        return spans(self.known)

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        return accounts(self.known)

    @cached_property
    def picture(self) -> Picture | None:
        return picture(self.known, self.spans)

    @cached_property
    def curves(self) -> tuple[Curve, ...]:
        return curves(self.known)

    @cached_property
    def chronicle(self) -> tuple[Happening, ...]:
        return chronicle(self.known)

    @cached_property
    def cautions(self) -> tuple[Caution, ...]:
        x = self.known.explained
        return (*map(Caution.of_remark, x.remarks), *map(Caution.of_service, x.services))

    def rows(self) -> Iterator[Row]:
        """Every line that can differ between two moments."""
        yield from self.summary
        if self.claim:
            yield self.claim
        yield from self.checks
        for family in self.families:
            yield family
            yield from family.rungs
        yield from self.choices
        yield from self.spans
        yield from self.accounts
        yield from self.cautions
        yield from self.chronicle


def routes(shell: Shell) -> list[Route]:
    """The page's route."""
    return [shell.route(PATH, NAME, Right.READ, _endpoint(shell))]


def _endpoint(shell: Shell) -> Callable[[Request, Place], Response]:
    def answer(request: Request, place: Place) -> Response:
        patient: str = request.path_params["patient"]
        try:
            record = record_of(shell.parts, place.practice, patient, place.month)
        except Unanswerable as error:
            detail = f"There is no patient {patient!r} in this practice."
            raise Refusal(404, "No such patient", detail) from error
        now = Sheet(record.now())
        moment = asked(request, now.known)
        if moment.elsewhere is not None:
            return RedirectResponse(moment.elsewhere, 303)
        said = {
            **_said(record, now, moment),
            "elsewhere": elsewhere(place, patient, moment),
            "effect": _effect(request, now.known, moment),
            "enter": _entering(place, patient, moment),
            "forms": [blank for blank in BLANKS.values() if blank.offered],
        }
        template = "patient_then.html" if _is_fragment(request) else "patient.html"
        return shell.page(request, template, place, here=request.url.path, **said)

    return answer


def elsewhere(place: Place, patient: str, moment: Moment) -> list[tuple[str, str]]:
    """The same moment in other forms, as far as this principal may have them: words, address."""
    query = f"?{urlencode({'as_of': moment.at})}" if moment.at else ""
    way = ("practices", place.practice, "patients", patient, "months", place.month)
    found = [("As JSON", f"{api_address(*way, 'explanation')}{query}")]
    if place.principal.may(Right.AUDIT):
        found.append(("Evidence packet", f"{api_address(*way, 'packet')}{query}"))
    return found


def _effect(request: Request, now: Known, moment: Moment) -> Effect | None:
    """What somebody who was led here has just entered."""
    ids = request.query_params.getlist("entered")
    return effect_of(now, ids) if ids and moment.at is None else None


def _entering(place: Place, patient: str, moment: Moment) -> Callable[..., str] | None:
    """Where a form about the patient is, for whoever may enter anything; what was known earlier is
    not for changing."""
    if moment.at is not None or not place.principal.may(Right.ENTER):
        return None
    return lambda form, **given: form_address(place, patient, form, **given)


def months_of(known: Known) -> tuple[Month, ...]:
    """Months in which anything of the patient lies, this one among them, the newest first."""
    return tuple(sorted({*months_known(known.patient), known.answer.month}, reverse=True))


def _is_fragment(request: Request) -> bool:
    """Whether the page's own script asks for what the slider changes."""
    return request.headers.get("hx-request") == "true"


def _said(record: Record, now: Sheet, moment: Moment) -> dict[str, Any]:
    shown = now if moment.at_us is None else _at(record, moment.at_us)
    practice, patient = record.history.practice_id, record.history.patient_id
    rules = cited_rules(shown.known.explained) if shown else []
    return {
        "title": f"{patient}, {record.month}",
        "patient": patient,
        "moment": moment,
        "sheet": shown,
        "differs": _differs(record, now, shown, moment),
        "why_picked": why_picked(now.known.policy),
        "cited": [(rule, days_in_force(rule)) for rule in rules],
        "months": months_of(now.known),
        "address": lambda month: address(practice, patient, month),
    }


def _at(record: Record, at_us: int) -> Sheet | None:
    known = record.at(at_us)
    return Sheet(known) if known else None


def _differs(record: Record, now: Sheet, shown: Sheet | None, moment: Moment) -> Difference:
    if shown is None:
        return NOTHING
    if moment.against == "now":
        return difference(shown.rows(), now.rows(), "now") if shown is not now else NOTHING
    stop: Stop | None = moment.before
    before = _at(record, stop.at_us) if stop else None
    return difference(shown.rows(), before.rows() if before else (), "before")
