"""SQLite schema steps."""
