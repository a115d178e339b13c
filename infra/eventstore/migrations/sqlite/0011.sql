-- A letter that a person decided to leave as it is.
ALTER TABLE dead_letters ADD COLUMN set_aside_at_us INTEGER;

CREATE INDEX dead_letters_open ON dead_letters (id)
    WHERE replayed_at_us IS NULL AND set_aside_at_us IS NULL;

-- What people did with letters. `value` is what was taken in the original's place.
CREATE TABLE letter_acts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    letter_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    value BLOB
);

CREATE INDEX letter_acts_of_a_letter ON letter_acts (letter_id, id);
