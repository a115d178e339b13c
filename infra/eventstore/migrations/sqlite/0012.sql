-- Time that somebody measures and has not logged yet. One of a person's timers runs at a time, and
-- one at most of each patient is open.
CREATE TABLE timers (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    practice_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    state TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    stretches TEXT NOT NULL,
    version INTEGER NOT NULL
);

CREATE UNIQUE INDEX timers_running ON timers (person) WHERE state = 'running';

CREATE UNIQUE INDEX timers_open ON timers (person, practice_id, patient_id) WHERE state <> 'stopped';

CREATE INDEX timers_of_a_person ON timers (person);
