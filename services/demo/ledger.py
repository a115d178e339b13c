"""What the simulated clinic knows of its own totals: enough to stage its moments truthfully.

It is bookkeeping of the script, in plain sums; the product's answer never comes from here.
"""

from __future__ import annotations

from collections import defaultdict

from services.demo.panel import DemoPatient, Trait
from services.demo.schedule import Contact
from services.demo.vocabulary import Data, month_of

CLEAN_TRAITS = frozenset({Trait.PLAIN, Trait.COMPLEX, Trait.NEWCOMER})


class Ledger:
    """Counted seconds by patient and month, and which of those sums are beyond doubt."""

    def __init__(self) -> None:
        self.seconds: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._unsure: set[tuple[str, str]] = set()

    def add(self, contact: Contact) -> None:
        """Count one contact."""
        key = (contact.patient.id, month_of(contact.on))
        if contact.counts:
            self.seconds[key] += contact.seconds
        if contact.who["role"] != "clinical_staff":
            self._unsure.add(key)

    def doubt(self, contact: Contact) -> None:
        """This month of the patient saw an overlap or a correction: its sum is not simple."""
        self._unsure.add((contact.patient.id, month_of(contact.on)))

    def total(self, patient: DemoPatient, month: str) -> int:
        return self.seconds.get((patient.id, month), 0)

    def is_clean(self, patient: DemoPatient, month: str) -> bool:
        """Whether nothing but plain staff time stands behind the month's sum."""
        return patient.trait in CLEAN_TRAITS and (patient.id, month) not in self._unsure

    def codes(self, patient: DemoPatient, month: str) -> list[Data]:
        """The staff codes of a clean month, as a biller would submit them; often none."""
        seconds = self.total(patient, month)
        if seconds < 1200 or not self.is_clean(patient, month):
            return []
        further = min(2, seconds // 1200 - 1)
        addon: list[Data] = [{"code": "99439", "units": further}] if further else []
        return [{"code": "99490", "units": 1}, *addon]
