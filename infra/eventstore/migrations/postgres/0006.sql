-- What projections that cross patients keep. A rebuild writes the next generation beside the live
-- one; the live one's number stands in tracking under projection:NAME, its place in the log under
-- projection:NAME/GENERATION.
CREATE TABLE projected (
    table_name text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    part text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (table_name, generation, part, at, key)
) WITH (fillfactor = 80);
