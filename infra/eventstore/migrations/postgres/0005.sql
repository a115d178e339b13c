-- Why no sink may hear of a transition; null: it is delivered.
ALTER TABLE transitions ADD COLUMN suppressed text COLLATE "C";

-- Raised without being delivered: its resolution is not delivered either.
ALTER TABLE alert_state ADD COLUMN silent boolean NOT NULL DEFAULT false;

-- Whom the passing of time can concern.
CREATE TABLE enrolled_months (
    practice_id text COLLATE "C" NOT NULL,
    timezone text COLLATE "C" NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    first_month text COLLATE "C" NOT NULL,
    last_month text COLLATE "C" NOT NULL,
    PRIMARY KEY (practice_id, timezone, stream_id, first_month)
);

CREATE INDEX enrolled_months_stream ON enrolled_months (stream_id);
