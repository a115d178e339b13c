"""Assessment of a patient-month: requirements, care time, codes, dollars, warnings."""

from __future__ import annotations

from domain.assess.assess import assess, assessments, has_ground
from domain.assess.assessment import Assessment

__all__ = ["Assessment", "assess", "assessments", "has_ground"]
