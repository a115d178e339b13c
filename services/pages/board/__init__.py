"""The board: a practice's month, a row a patient, what the next minutes are worth first."""
