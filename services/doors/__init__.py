"""The doors: where deliveries come in. Each hands them to the one ingest core."""
