-- What projections that cross patients keep. A rebuild writes the next generation beside the live
-- one; the live one's number stands in tracking under projection:NAME, its place in the log under
-- projection:NAME/GENERATION.
CREATE TABLE projected (
    table_name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    part TEXT NOT NULL,
    at INTEGER NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (table_name, generation, part, at, key)
) WITHOUT ROWID;
