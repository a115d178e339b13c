"""The one core that every door hands its messages to."""

from services.ingest.core import Busy, Ingest, Judge, Outcome
from services.ingest.opening import Delivery

__all__ = ["Busy", "Delivery", "Ingest", "Judge", "Outcome"]
