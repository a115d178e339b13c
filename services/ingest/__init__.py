"""The one core that every door hands its messages to."""

from services.ingest.core import Ingest, Judge, Outcome
from services.ingest.opening import Delivery

__all__ = ["Delivery", "Ingest", "Judge", "Outcome"]
