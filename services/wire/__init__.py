"""The edge: CloudEvents in, domain events out, and back."""
