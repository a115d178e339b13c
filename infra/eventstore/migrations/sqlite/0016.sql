-- A snapshot in parts: what did not change is not written again with the next one. Those there
-- are were made in another form, which nobody reads from now on.
DELETE FROM snapshots;

-- Not WITHOUT ROWID: bodies would spill from index pages into overflow pages.
CREATE TABLE snapshot_parts (
    stream_id TEXT NOT NULL,
    name BLOB NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (stream_id, name)
);
