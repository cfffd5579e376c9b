"""Errata, one test each: what the document says fails or gives another result, and what holds instead."""
