"""Implementations under test: loading, observation, time limits, and access to other languages."""
