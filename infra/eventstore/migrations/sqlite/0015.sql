-- Keys of events leave their one index, which costs more the longer the log is: each new key lies
-- anywhere in it. They are in one of two tables now (infra/eventstore/sqlite_keys.py).
CREATE TABLE settled_keys (
    key BLOB PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE recent_keys (
    key BLOB PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO settled_keys SELECT event_key, position FROM stored_events
    WHERE event_key IS NOT NULL ORDER BY event_key;

DROP INDEX stored_events_event_key;
