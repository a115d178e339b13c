-- A snapshot in parts: what did not change is not written again with the next one. Those there
-- are were made in another form, which nobody reads from now on.
DELETE FROM snapshots;

CREATE TABLE snapshot_parts (
    stream_id text COLLATE "C" NOT NULL,
    name bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (stream_id, name)
);

-- Packed already: compressing it once more costs time and gains nothing.
ALTER TABLE snapshot_parts ALTER COLUMN body SET STORAGE EXTERNAL;
