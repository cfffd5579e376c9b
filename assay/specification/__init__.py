"""The claims as data: their statements, their tests, and their division into shards."""
