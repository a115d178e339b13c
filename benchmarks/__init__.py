"""Measurements of the product beside its peers; run with `make bench`."""
