"""An explained month: every part of the answer with its evidence, its rule and its source.

Sentences name dates, codes, numbers and opaque ids alone: no person, no free text of an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.assess.assessment import Assessment
from domain.facts import CodeUnits
from domain.fees.payment import Payment
from domain.rules.codes import Family


@dataclass(frozen=True, slots=True)
class EventRef:
    """An event of the log: its `source` and `id`, and its type by its stable name."""

    source: str
    id: str
    type: str


@dataclass(frozen=True, slots=True)
class CitedRule:
    """One row of the rules: the days it holds (`last` None: still), where it is from, how sure."""

    rule_id: str
    first: date
    last: date | None
    source: str
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A fact that looks as if it met a requirement, and why it does not."""

    event: EventRef
    sentence: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One requirement of the month. `blocker` is the identifier under which it blocks if unmet."""

    blocker: str
    met: bool
    sentence: str
    evidence: tuple[EventRef, ...]
    falls_short: tuple[Shortfall, ...]
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class ExcludedTime:
    """Seconds of an entry that do not count, by the reason's identifier."""

    reason: str
    seconds: int
    sentence: str
    evidence: tuple[EventRef, ...]
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of an entry. `state`: stands, superseded, or retracted (`by` says by what);
    a void that stands has the state `void`."""

    event: EventRef
    state: str
    by: EventRef | None


@dataclass(frozen=True, slots=True)
class EntryAccount:
    """A time entry's share of the month. `state`: standing, voided or retracted.

    `logged` = `counted` + the excluded seconds, all of them within this month.
    """

    entry_id: str
    state: str
    role: str | None
    sentence: str
    logged: int
    counted: int
    excluded: tuple[ExcludedTime, ...]
    stands: EventRef | None
    revisions: tuple[Revision, ...]
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One unit on a family's ladder; when not reached, its last three members before
    `seconds_to_go` are None."""

    code: str
    unit: int
    threshold_seconds: int
    reached_on: date | None
    reached_by: str | None
    """The `entry_id` whose seconds reached it."""
    pool_seconds: int | None
    """Seconds of the pool with that entry's."""
    seconds_to_go: int
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a family is not offered."""

    identifier: str
    sentence: str
    evidence: tuple[EventRef, ...]
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """A family of codes: what it counts, what it reached, why it is or is not offered."""

    family: Family
    offered: bool
    pool: str | None
    """Whose seconds count (`pooled`, `practitioner`, `everyone`); None where not known."""
    seconds: int
    steps: tuple[Step, ...]
    obstacles: tuple[Obstacle, ...]
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class UnitWork:
    """How the dollars of one unit come about.

    Computed: (work x gpci_work + pe x gpci_pe + mp x gpci_mp) x factor, to the cent half-up, then
    x share, to the cent half-up. `priced`: CMS's own amount for the locality (the other figures
    are None). `imports` are the short digests of imported figures.
    """

    work: Decimal | None
    pe: Decimal | None
    mp: Decimal | None
    gpci_work: Decimal | None
    gpci_pe: Decimal | None
    gpci_mp: Decimal | None
    factor: Decimal | None
    priced: Decimal | None
    full_amount: Decimal
    share: Decimal
    imports: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class AmountLine:
    """One line of an option. Without a figure the amounts are None and `missing` says which."""

    code: str
    units: int
    unit_amount: Decimal | None
    amount: Decimal | None
    work: UnitWork | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class OptionAccount:
    """What may be billed (`legal`) or could be if every blocker fell, and for how much.

    `evidence`: what the family needs besides time and the month's conditions (complex: its
    decision making, and the care plan where the month asks for one).
    """

    family: Family
    legal: bool
    selected: bool
    codes: tuple[CodeUnits, ...]
    date_of_service: date
    date_sentence: str
    payment: Payment | None
    lines: tuple[AmountLine, ...]
    evidence: tuple[EventRef, ...]
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A change of facts and what the month would be worth with it; found by assessing it.

    `codes`, `payment` and `status` are the whole answer after the change; `offered` are the codes
    of the family it is about where it does not (yet) change the selected ones. `change` is the
    difference in dollars of what was compared; None where a figure is missing.
    """

    kind: str
    sentence: str
    by: date | None
    """The last day on which the fact would still do."""
    seconds: int | None
    entry_ids: tuple[str, ...]
    status: str
    family: Family | None
    codes: tuple[CodeUnits, ...]
    payment: Payment | None
    blockers: tuple[str, ...]
    offered: tuple[CodeUnits, ...]
    change: Decimal | None


@dataclass(frozen=True, slots=True)
class Remark:
    """A warning, why it is given and which events give it."""

    warning: str
    sentence: str
    evidence: tuple[EventRef, ...]
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class OtherService:
    """A service in the month that the rules know: `effect` is what it does to the month."""

    hcpcs: str
    first: date
    last: date
    same_practitioner: bool
    effect: str
    sentence: str
    evidence: EventRef
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class ClaimAccount:
    """The claim that stands and how it compares with what the facts support."""

    codes: tuple[CodeUnits, ...]
    submitted_on: date
    supported_as: Family | None
    sentence: str
    evidence: EventRef


@dataclass(frozen=True, slots=True)
class ConditionHint:
    """A diagnosis that code sets (`sets`, with their versions) count as chronic and that nobody
    attested. A proposal: it changes no answer."""

    code: str
    sets: tuple[str, ...]
    sentence: str
    evidence: tuple[EventRef, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """What the answer rests on besides the facts."""

    rules_version: str
    rules_digest: str
    """Of the rows in force for the month."""
    book_digest: str
    """Of every row and every fee figure."""
    fees_digest: str
    fee_layers: int
    """1: the built-in figures alone; more: imported ones laid over them."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One patient-month with its reasons. Members are printed in this order."""

    assessment: Assessment
    conditions: tuple[Condition, ...]
    entries: tuple[EntryAccount, ...]
    ladders: tuple[Ladder, ...]
    options: tuple[OptionAccount, ...]
    claim: ClaimAccount | None
    what_ifs: tuple[WhatIf, ...]
    remarks: tuple[Remark, ...]
    services: tuple[OtherService, ...]
    basis: Basis
    hints: tuple[ConditionHint, ...] = ()
