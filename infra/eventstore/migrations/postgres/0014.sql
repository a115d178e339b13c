-- A patient's transitions together, for whoever compares them with its events: the audit reads
-- them in this order without sorting all of them first.
CREATE INDEX transitions_of_a_stream ON transitions (stream_id, position);
