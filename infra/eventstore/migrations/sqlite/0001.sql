-- AUTOINCREMENT: a position is never given out twice, whatever is deleted.
CREATE TABLE stored_events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    event_key BLOB,
    UNIQUE (originator_id, originator_version)
);

-- 16 bytes and a row number an entry: the smallest index that keeps (source, id) unique for ever.
CREATE UNIQUE INDEX stored_events_event_key ON stored_events (event_key);

CREATE TABLE tracking (
    application_name TEXT PRIMARY KEY,
    notification_id INTEGER NOT NULL
) WITHOUT ROWID;

-- The row by which the eventsourcing library knows the form of its tracking table.
INSERT INTO tracking VALUES ('__migration__', 1);

CREATE TABLE patients (
    stream_id TEXT PRIMARY KEY,
    practice_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;

-- Not WITHOUT ROWID: bodies of a kilobyte would spill from index pages into overflow pages.
CREATE TABLE assessments (
    practice_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    month TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    status TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (practice_id, patient_id, month)
);

CREATE TABLE alert_state (
    stream_id TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    month TEXT NOT NULL,
    type TEXT NOT NULL,
    code TEXT NOT NULL,
    unit INTEGER NOT NULL,
    transition INTEGER NOT NULL,
    raised INTEGER NOT NULL,
    PRIMARY KEY (stream_id, alert_id)
) WITHOUT ROWID;

CREATE TABLE transitions (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id TEXT NOT NULL,
    practice_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    month TEXT NOT NULL,
    type TEXT NOT NULL,
    code TEXT NOT NULL,
    unit INTEGER NOT NULL,
    transition INTEGER NOT NULL,
    raised INTEGER NOT NULL,
    recorded_at_us INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (alert_id, transition)
);

CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL,
    reason TEXT NOT NULL,
    field TEXT NOT NULL,
    sentence TEXT NOT NULL,
    value BLOB,
    key BLOB,
    headers BLOB NOT NULL,
    received_at_us INTEGER NOT NULL,
    replayed_at_us INTEGER
);

CREATE TABLE delivered (
    sink TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE snapshots (
    stream_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    rules_digest TEXT NOT NULL,
    state BLOB NOT NULL
);
