"""Days, months and zones: where an instant falls for a patient."""
