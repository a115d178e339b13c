"""Numbered, forward-only schema steps, one folder a database."""
