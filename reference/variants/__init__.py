"""Variants of the reference with other ways of training."""
