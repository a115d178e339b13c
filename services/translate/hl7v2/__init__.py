"""HL7 v2 messages to events: an ER7 reader, and pure functions of a message and a site profile."""
