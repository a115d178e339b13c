-- Whom webhooks go to. Filters are JSON arrays; an empty one lets everything through.
CREATE TABLE subscribers (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    practices TEXT NOT NULL,
    types TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    read_through INTEGER NOT NULL,
    held_until_us INTEGER NOT NULL,
    added_at_us INTEGER NOT NULL,
    answered_at_us INTEGER NOT NULL
) WITHOUT ROWID;

-- Several at a time while one takes over from another.
CREATE TABLE subscriber_secrets (
    subscriber_id TEXT NOT NULL,
    secret TEXT NOT NULL,
    expires_at_us INTEGER,
    PRIMARY KEY (subscriber_id, secret)
) WITHOUT ROWID;

-- One row a transition and subscriber, for ever. next_at_us is null behind an earlier pending
-- one of the same patient. Position first in the key: what is pending is found by its own indexes,
-- however much was delivered.
CREATE TABLE deliveries (
    subscriber_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    stream_id TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at_us INTEGER,
    answer TEXT NOT NULL,
    PRIMARY KEY (position, subscriber_id)
) WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (subscriber_id, next_at_us, position)
    WHERE state = 'pending' AND next_at_us IS NOT NULL;

CREATE INDEX deliveries_lane ON deliveries (subscriber_id, stream_id, position)
    WHERE state = 'pending';

CREATE INDEX deliveries_failed ON deliveries (subscriber_id) WHERE state = 'failed';

-- The last transition there was when a sink was first served: up to there all is history for it.
CREATE TABLE sink_starts (
    sink TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
