"""Benchmarks of training, inference and acting, relative to other implementations and to the limits of the machine."""
