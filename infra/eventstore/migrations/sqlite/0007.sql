-- The patient's stream version as of which a month was assessed: whoever follows the log finds by it
-- what an event changed.
ALTER TABLE assessments ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

UPDATE assessments SET version = coalesce(
    (SELECT p.version FROM patients p WHERE p.stream_id = assessments.stream_id), 0);

ALTER TABLE assessments_next ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

UPDATE assessments_next SET version = coalesce(
    (SELECT p.version FROM patients p WHERE p.stream_id = assessments_next.stream_id), 0);

-- Months that had an assessment once, and as of which version they lost it. One that came back
-- stays here too; the live row counts.
CREATE TABLE assessments_gone (
    practice_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    month TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (practice_id, patient_id, month)
) WITHOUT ROWID;

-- How often a rebuild has put other rows in the place of the live ones.
ALTER TABLE read_models ADD COLUMN switches INTEGER NOT NULL DEFAULT 0;
