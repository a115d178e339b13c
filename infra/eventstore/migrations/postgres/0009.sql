-- What the last event of each patient's stream hashes to: the end of the chain.
ALTER TABLE patients ADD COLUMN head bytea;

-- The log's Merkle tree: 256 hashes of one level in a row, the last row of a level may be shorter.
CREATE TABLE log_tiles (
    level bigint NOT NULL,
    number bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (level, number)
);

-- Hashes do not compress.
ALTER TABLE log_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE checkpoints (
    number bigint PRIMARY KEY,
    note text NOT NULL
);

-- Who read what of whom. Each hash is over the one before and the row's own body.
CREATE TABLE accesses (
    number bigint PRIMARY KEY,
    body bytea NOT NULL,
    hash bytea NOT NULL
);

CREATE FUNCTION accesses_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the access log is only appended to''; END';

CREATE TRIGGER accesses_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accesses FOR EACH STATEMENT EXECUTE FUNCTION accesses_refuse();
