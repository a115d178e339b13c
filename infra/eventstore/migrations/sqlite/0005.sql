-- Why no sink may hear of a transition; null: it is delivered.
ALTER TABLE transitions ADD COLUMN suppressed TEXT;

-- Raised without being delivered: its resolution is not delivered either.
ALTER TABLE alert_state ADD COLUMN silent INTEGER NOT NULL DEFAULT 0;

-- Whom the passing of time can concern.
CREATE TABLE enrolled_months (
    practice_id TEXT NOT NULL,
    timezone TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    first_month TEXT NOT NULL,
    last_month TEXT NOT NULL,
    PRIMARY KEY (practice_id, timezone, stream_id, first_month)
) WITHOUT ROWID;

CREATE INDEX enrolled_months_stream ON enrolled_months (stream_id);
