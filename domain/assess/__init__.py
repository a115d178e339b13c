"""Assessment of a patient-month: requirements, care time, codes, dollars, warnings."""

from __future__ import annotations

from domain.assess.assess import answer, assess, assessments
from domain.assess.assessment import Assessment
from domain.assess.reckoning import Reckoning, reckon

__all__ = ["Assessment", "Reckoning", "answer", "assess", "assessments", "reckon"]
