"""PostgreSQL schema steps."""
