"""Implementations that are wrong on purpose, and other stand-ins for tests of the suite."""
