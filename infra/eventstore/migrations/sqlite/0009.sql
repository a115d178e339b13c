-- What the last event of each patient's stream hashes to: the end of the chain.
ALTER TABLE patients ADD COLUMN head BLOB;

-- The log's Merkle tree: 256 hashes of one level in a row, the last row of a level may be shorter.
CREATE TABLE log_tiles (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
);

CREATE TABLE checkpoints (
    number INTEGER PRIMARY KEY,
    note TEXT NOT NULL
);

-- Who read what of whom. Each hash is over the one before and the row's own body.
CREATE TABLE accesses (
    number INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    hash BLOB NOT NULL
);

CREATE TRIGGER accesses_are_not_changed BEFORE UPDATE ON accesses BEGIN SELECT RAISE(ABORT, 'the access log is only appended to'); END;

CREATE TRIGGER accesses_are_not_deleted BEFORE DELETE ON accesses BEGIN SELECT RAISE(ABORT, 'the access log is only appended to'); END;
