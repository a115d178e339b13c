"""Which errors are an outage, and no fault of ours or of who asks."""

from __future__ import annotations


def is_outage(error: BaseException) -> bool:
    """Whether the error is the database's (or the schema's, fees' or profiles'), not ours."""
    from eventsourcing.persistence import PersistenceError

    from infra.eventstore import SchemaTooNew

    if isinstance(error, PersistenceError | SchemaTooNew):
        return True
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    if modules & {"sqlite3", "psycopg", "psycopg_pool"}:
        return True
    return type(error).__name__ in ("StoredFeesError", "SiteError", "MappingError")
