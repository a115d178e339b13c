-- Identities: whom a foreign identifier means, one row for each patient who has it.
CREATE TABLE identities (
    key text COLLATE "C" NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    time bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (key, stream_id)
);

CREATE INDEX identities_stream ON identities (stream_id);

-- What was last taken of each resource of a translated feed, and the events that stand for it.
CREATE TABLE taken_resources (
    key text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    body bytea NOT NULL
);

-- What a letter waits for, where something would mend it by itself.
ALTER TABLE dead_letters ADD COLUMN waits_for text COLLATE "C" NOT NULL DEFAULT '';

CREATE INDEX dead_letters_waiting ON dead_letters (waits_for, id)
    WHERE replayed_at_us IS NULL AND waits_for <> '';
