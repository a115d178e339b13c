-- What a snapshot is judged by is the form it was made in: the fold and the packing, not the rules
-- of billing, which it does not hold.
DELETE FROM snapshots;

ALTER TABLE snapshots RENAME COLUMN rules_digest TO form;
