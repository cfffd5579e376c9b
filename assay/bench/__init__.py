"""Benchmarks: what training, inference and acting cost one implementation next to others, and next to the machine."""
