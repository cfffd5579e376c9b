"""TensorFlow for faults that compute with it."""

from importlib import import_module


class TensorFlow:
    """TensorFlow, loaded when a fault first computes with it: to list the faults takes no framework."""

    def __getattr__(self, name):
        return getattr(import_module("tensorflow"), name)


tf = TensorFlow()
