-- What a rebuild makes beside the live rows, in the same form: at the switch the two change names.
CREATE TABLE assessments_next (
    practice_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    month TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    status TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (practice_id, patient_id, month)
);

-- The unfinished rebuild: one row or none.
CREATE TABLE rebuild (
    making TEXT NOT NULL,
    stream TEXT NOT NULL,
    whole INTEGER NOT NULL,
    position INTEGER NOT NULL
);

-- Live months that were not what their events come to, as the last rebuild found them.
CREATE TABLE rebuild_differences (
    practice_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    month TEXT NOT NULL,
    kind TEXT NOT NULL,
    members TEXT NOT NULL,
    PRIMARY KEY (practice_id, patient_id, month)
) WITHOUT ROWID;

-- By which rules, fees and policies the live rows were made at their last switch.
CREATE TABLE read_models (
    name TEXT PRIMARY KEY,
    making TEXT NOT NULL
) WITHOUT ROWID;
