"""The language of chronic care management: facts, patients, care time, rules, assessments.

Pure: the standard library alone, no clock, no input or output.
"""
