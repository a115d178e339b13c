"""What facts change or would change, from the domain's own reckoning before and after them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from domain.assess import Assessment, assess
from domain.event import Event
from domain.explain.catalogue import of_exclusion
from domain.explain.wording import codes, several
from domain.facts import CodeUnits, Month, MonthClaimed
from domain.patient import Patient, months_touched
from domain.policy import Policy
from domain.rules import RuleBook
from services.histories import History, folded
from services.pages.words import minutes


@dataclass(frozen=True, slots=True)
class Caution:
    """What somebody should know before they save: no error, and theirs to decide."""

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Change:
    """A month before and after."""

    before: Assessment
    after: Assessment

    @property
    def month(self) -> Month:
        return self.after.month

    @property
    def earned(self) -> tuple[CodeUnits, ...]:
        """Codes and units that were not there before."""
        return _more(self.before.codes, self.after.codes)

    @property
    def lost(self) -> tuple[CodeUnits, ...]:
        return _more(self.after.codes, self.before.codes)

    @property
    def counted(self) -> int:
        """Seconds that count now and did not; below zero: the other way round."""
        return _counted(self.after) - _counted(self.before)

    @property
    def is_other(self) -> bool:
        """Whether the month comes to anything else."""
        return (self.before.codes, self.before.seconds) != (self.after.codes, self.after.seconds)


def changes(
    before: Patient, after: Patient, events: Iterable[Event], book: RuleBook, policy: Policy
) -> list[Change]:
    """The months that these events touch, before and after them, in order."""
    months = sorted({month for event in events for month in months_touched(after, event)})
    return [
        Change(assess(before, month, book, policy), assess(after, month, book, policy))
        for month in months
    ]


def foreseen(
    history: History, events: Sequence[Event], book: RuleBook, policy: Policy
) -> tuple[Caution, ...]:
    """What would not count, what would be taken back, and which claims it would come after."""
    practice, patient = history.practice_id, history.patient_id
    before, after = history.patient(), folded(practice, patient, [*history.events, *events])
    found: list[Caution] = []
    for change in changes(before, after, events, book, policy):
        found += _left_out(change, history)
        if change.lost:
            says = f"{change.month}: this takes back {codes(change.lost)}."
            found.append(Caution("takes-back", says))
        claim = before.chart.claims.get(change.month)
        if claim is not None and change.is_other:
            assert isinstance(claim.fact, MonthClaimed)
            claimed = f"claim {claim.fact.claim_id}, {claim.fact.submitted_on}"
            says = f"{change.month} is claimed already ({claimed}); this comes after the claim."
            found.append(Caution("claimed", says))
    return tuple(found)


def mark_of(cautions: Collection[Caution]) -> str:
    """Stands for these cautions: who has seen them sends it back."""
    text = "\n".join(f"{one.name}\t{one.says}" for one in cautions)
    return blake2b(text.encode(), digest_size=8).hexdigest() if cautions else ""


def next_words(answer: Assessment) -> str:
    """The nearest threshold of all families; empty where none is left."""
    near = min(answer.next, key=lambda each: each.seconds_to_go, default=None)
    if near is None:
        return ""
    unit = f" ×{near.unit}" if near.unit > 1 else ""
    return f"{minutes(near.seconds_to_go)} to go to {near.code}{unit}"


def _left_out(change: Change, history: History) -> Iterator[Caution]:
    """Seconds that did count or would be new, and do not count."""
    was = {(x.entry_id, x.reason): x.seconds for x in change.before.excluded}
    known = {
        getattr(event.fact, "entry_id", None) for event in history.events
    }  # whoever is not among them is being entered now
    for each in change.after.excluded:
        more = each.seconds - was.get((each.entry_id, each.reason), 0)
        if more > 0:
            words, _ = of_exclusion(each.reason, change.month)
            whose = f" of entry {each.entry_id}" if each.entry_id in known else ""
            says = f"{minutes(more)}{whose} would not count in {change.month}: {words}."
            yield Caution(each.reason, says)


def _counted(answer: Assessment) -> int:
    return answer.seconds.logged - answer.seconds.excluded


def _more(few: Iterable[CodeUnits], many: Iterable[CodeUnits]) -> tuple[CodeUnits, ...]:
    left = Counter({line.code: line.units for line in many})
    left.subtract({line.code: line.units for line in few})
    return tuple(CodeUnits(code, units) for code, units in left.items() if units > 0)


def effect_sentences(change: Change) -> Iterator[str]:
    """What a month gained or lost, and what is next."""
    before, after = change.before, change.after
    if change.counted:
        sign = "more" if change.counted > 0 else "less"
        yield f"{minutes(abs(change.counted))} {sign} {'count' if sign == 'more' else 'counts'}."
    elif after.seconds.logged > before.seconds.logged:
        yield "None of it counts."
    if change.earned:
        yield f"{codes(change.earned)} earned."
    if change.lost:
        yield f"{codes(change.lost)} taken back."
    fallen = [name for name in before.blockers if name not in after.blockers]
    risen = [name for name in after.blockers if name not in before.blockers]
    if fallen:
        yield f"No longer blocked by {', '.join(fallen)}."
    if risen:
        yield f"Now blocked by {', '.join(risen)}."
    if ahead := next_words(after):
        yield f"{ahead}."
    if not change.is_other and not fallen and not risen:
        yield f"The month is as it was, {several(len(after.codes), 'code')}."
