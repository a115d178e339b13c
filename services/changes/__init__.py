"""Change feeds of databases: what a Debezium message says of one row."""
