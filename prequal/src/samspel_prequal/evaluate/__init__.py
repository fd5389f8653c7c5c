"""From logs to the verdict."""
