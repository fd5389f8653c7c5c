"""What survives a restart: control journal, outbox and operation log, in one SQLite file with one owner."""
