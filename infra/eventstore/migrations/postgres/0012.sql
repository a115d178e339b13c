-- Time that somebody measures and has not logged yet. One of a person's timers runs at a time, and
-- one at most of each patient is open.
CREATE TABLE timers (
    id text PRIMARY KEY,
    person text NOT NULL,
    practice_id text NOT NULL,
    patient_id text NOT NULL,
    state text NOT NULL,
    began_at bigint NOT NULL,
    stretches text NOT NULL,
    version bigint NOT NULL
);

CREATE UNIQUE INDEX timers_running ON timers (person) WHERE state = 'running';

CREATE UNIQUE INDEX timers_open ON timers (person, practice_id, patient_id) WHERE state <> 'stopped';

CREATE INDEX timers_of_a_person ON timers (person);
