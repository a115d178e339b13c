"""Public code sets: which diagnoses they count as chronic. They propose; they decide nothing."""

from infra.codesets.chronic import CodeSet, counted_chronic_by

__all__ = ["CodeSet", "counted_chronic_by"]
