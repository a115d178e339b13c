"""`caretally serve`: the parts of the product as one process, composed by role."""
