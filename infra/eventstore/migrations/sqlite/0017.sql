-- Where keys of small transactions are gathered first (infra/eventstore/sqlite_keys.py).
CREATE TABLE new_keys (
    key BLOB PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
