"""Helpers for tests of whole trainings."""
