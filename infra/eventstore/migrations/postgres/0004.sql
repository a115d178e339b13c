-- What a rebuild makes beside the live rows, in the same form: at the switch the two change names.
CREATE TABLE assessments_next (
    practice_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (practice_id, patient_id, month)
) WITH (fillfactor = 70);

-- The unfinished rebuild: one row or none.
CREATE TABLE rebuild (
    making text NOT NULL,
    stream text COLLATE "C" NOT NULL,
    whole bigint NOT NULL,
    position bigint NOT NULL
);

-- Live months that were not what their events come to, as the last rebuild found them.
CREATE TABLE rebuild_differences (
    practice_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    members text NOT NULL,
    PRIMARY KEY (practice_id, patient_id, month)
);

-- By which rules, fees and policies the live rows were made at their last switch.
CREATE TABLE read_models (
    name text COLLATE "C" PRIMARY KEY,
    making text NOT NULL
);
