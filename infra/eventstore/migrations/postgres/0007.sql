-- The patient's stream version as of which a month was assessed: whoever follows the log finds by it
-- what an event changed.
ALTER TABLE assessments ADD COLUMN version bigint NOT NULL DEFAULT 0;

UPDATE assessments SET version = coalesce(
    (SELECT p.version FROM patients p WHERE p.stream_id = assessments.stream_id), 0);

ALTER TABLE assessments_next ADD COLUMN version bigint NOT NULL DEFAULT 0;

UPDATE assessments_next SET version = coalesce(
    (SELECT p.version FROM patients p WHERE p.stream_id = assessments_next.stream_id), 0);

-- Months that had an assessment once, and as of which version they lost it. One that came back
-- stays here too; the live row counts.
CREATE TABLE assessments_gone (
    practice_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (practice_id, patient_id, month)
);

-- How often a rebuild has put other rows in the place of the live ones.
ALTER TABLE read_models ADD COLUMN switches bigint NOT NULL DEFAULT 0;
