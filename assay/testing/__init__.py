"""Helpers for writing tests of claims."""
