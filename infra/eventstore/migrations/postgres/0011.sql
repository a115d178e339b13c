-- A letter that a person decided to leave as it is.
ALTER TABLE dead_letters ADD COLUMN set_aside_at_us bigint;

CREATE INDEX dead_letters_open ON dead_letters (id)
    WHERE replayed_at_us IS NULL AND set_aside_at_us IS NULL;

-- What people did with letters. `value` is what was taken in the original's place.
CREATE TABLE letter_acts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    letter_id bigint NOT NULL,
    kind text NOT NULL,
    by text NOT NULL,
    reason text NOT NULL,
    at_us bigint NOT NULL,
    value bytea
);

CREATE INDEX letter_acts_of_a_letter ON letter_acts (letter_id, id);
