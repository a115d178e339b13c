-- Identities: whom a foreign identifier means, one row for each patient who has it.
CREATE TABLE identities (
    key TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    time INTEGER NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (key, stream_id)
) WITHOUT ROWID;

CREATE INDEX identities_stream ON identities (stream_id);

-- What was last taken of each resource of a translated feed, and the events that stand for it.
CREATE TABLE taken_resources (
    key TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- What a letter waits for, where something would mend it by itself.
ALTER TABLE dead_letters ADD COLUMN waits_for TEXT NOT NULL DEFAULT '';

CREATE INDEX dead_letters_waiting ON dead_letters (waits_for, id)
    WHERE replayed_at_us IS NULL AND waits_for <> '';
