-- Whom webhooks go to. Filters are JSON arrays; an empty one lets everything through.
CREATE TABLE subscribers (
    id text COLLATE "C" PRIMARY KEY,
    url text COLLATE "C" NOT NULL,
    practices text COLLATE "C" NOT NULL,
    types text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    read_through bigint NOT NULL,
    held_until_us bigint NOT NULL,
    added_at_us bigint NOT NULL,
    answered_at_us bigint NOT NULL
);

-- Several at a time while one takes over from another.
CREATE TABLE subscriber_secrets (
    subscriber_id text COLLATE "C" NOT NULL,
    secret text COLLATE "C" NOT NULL,
    expires_at_us bigint,
    PRIMARY KEY (subscriber_id, secret)
);

-- One row a transition and subscriber, for ever. next_at_us is null behind an earlier pending
-- one of the same patient. Position first in the key: what is pending is found by its own indexes,
-- however much was delivered.
CREATE TABLE deliveries (
    subscriber_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    attempts bigint NOT NULL,
    next_at_us bigint,
    answer text COLLATE "C" NOT NULL,
    PRIMARY KEY (position, subscriber_id)
);

CREATE INDEX deliveries_due ON deliveries (subscriber_id, next_at_us, position)
    WHERE state = 'pending' AND next_at_us IS NOT NULL;

CREATE INDEX deliveries_lane ON deliveries (subscriber_id, stream_id, position)
    WHERE state = 'pending';

CREATE INDEX deliveries_failed ON deliveries (subscriber_id) WHERE state = 'failed';

-- The last transition there was when a sink was first served: up to there all is history for it.
CREATE TABLE sink_starts (
    sink text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);
