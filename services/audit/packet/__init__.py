"""The evidence of one patient-month on paper and for programs, as one file to hand over."""
