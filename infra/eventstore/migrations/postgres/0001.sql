-- COLLATE "C" everywhere: order by code point, the same on every database, and cheaper.
CREATE TABLE stored_events (
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL,
    event_key bytea,
    PRIMARY KEY (originator_id, originator_version)
);

CREATE UNIQUE INDEX stored_events_notification_id ON stored_events (notification_id);

CREATE UNIQUE INDEX stored_events_event_key ON stored_events (event_key);

CREATE TABLE tracking (
    application_name text COLLATE "C" PRIMARY KEY,
    notification_id bigint NOT NULL
) WITH (fillfactor = 50);

-- The row by which the eventsourcing library knows the form of its tracking table.
INSERT INTO tracking VALUES ('__migration__', 1);

CREATE TABLE patients (
    stream_id text COLLATE "C" PRIMARY KEY,
    practice_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE assessments (
    practice_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (practice_id, patient_id, month)
) WITH (fillfactor = 70);

CREATE TABLE alert_state (
    stream_id text COLLATE "C" NOT NULL,
    alert_id text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    unit bigint NOT NULL,
    transition bigint NOT NULL,
    raised boolean NOT NULL,
    PRIMARY KEY (stream_id, alert_id)
) WITH (fillfactor = 80);

CREATE TABLE transitions (
    position bigint PRIMARY KEY,
    stream_id text COLLATE "C" NOT NULL,
    practice_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    alert_id text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    unit bigint NOT NULL,
    transition bigint NOT NULL,
    raised boolean NOT NULL,
    recorded_at_us bigint NOT NULL,
    body bytea NOT NULL,
    UNIQUE (alert_id, transition)
);

CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin text NOT NULL,
    reason text NOT NULL,
    field text NOT NULL,
    sentence text NOT NULL,
    value bytea,
    key bytea,
    headers bytea NOT NULL,
    received_at_us bigint NOT NULL,
    replayed_at_us bigint
);

CREATE TABLE delivered (
    sink text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE snapshots (
    stream_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    rules_digest text NOT NULL,
    state bytea NOT NULL
);
