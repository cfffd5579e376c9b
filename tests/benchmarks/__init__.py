"""Benchmarks with pytest-benchmark."""
