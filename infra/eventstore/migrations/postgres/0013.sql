-- A practice's month as its board showed it on a day, up to a position of the log: a hint, in one
-- piece, for processes that start. `form` stands for what made it.
CREATE TABLE kept_boards (
    practice_id text NOT NULL,
    month text NOT NULL,
    day text NOT NULL,
    form text NOT NULL,
    position bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (practice_id, month)
);

ALTER TABLE kept_boards ALTER COLUMN body SET STORAGE EXTERNAL;
