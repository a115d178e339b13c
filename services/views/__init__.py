"""What people and programs look at: plain reads of the store, for the API and for pages alike.

Each takes the composed parts and which practices may be seen, and gives values; who may see them
and that the read is written down is for whoever serves them.
"""
