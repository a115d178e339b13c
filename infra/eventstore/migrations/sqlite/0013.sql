-- A practice's month as its board showed it on a day, up to a position of the log: a hint, in one
-- piece, for processes that start. `form` stands for what made it.
CREATE TABLE kept_boards (
    practice_id TEXT NOT NULL,
    month TEXT NOT NULL,
    day TEXT NOT NULL,
    form TEXT NOT NULL,
    position INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (practice_id, month)
);
