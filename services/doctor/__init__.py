"""Examines an installation: what is well, what is not, and what to do about it."""

from services.doctor.examination import Examination
from services.doctor.finding import Finding, State

__all__ = ["Examination", "Finding", "State"]
