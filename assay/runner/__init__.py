"""The pytest plugin that runs the tests of claims and writes the ledger."""
