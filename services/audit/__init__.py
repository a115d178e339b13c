"""Answers for an auditor: what was known when, what changed it, and the evidence on paper."""
