"""Load the runner in a checkout."""

pytest_plugins = ["assay.runner.plugin"]
