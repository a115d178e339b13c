"""Rows of foreign tables to events: pure functions of a row and a mapping file."""
