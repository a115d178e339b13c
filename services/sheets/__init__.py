"""Spreadsheets: read row by row, with the line that each row stands in."""
