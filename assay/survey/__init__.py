"""Surveys: implementations, seeds and shards on many processes or machines, and the stored runs of thresholds."""
