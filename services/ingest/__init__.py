"""The one core that every door hands its messages to."""

from services.ingest.core import Delivery, Ingest, Judge, Outcome

__all__ = ["Delivery", "Ingest", "Judge", "Outcome"]
