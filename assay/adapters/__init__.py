"""Implementations under test: how they are loaded, observed, limited in time, and reached in other languages."""
