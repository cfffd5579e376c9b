"""The library that tests of claims are written with."""
