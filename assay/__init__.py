"""Assay: an executable specification of a handbook chapter, and the runner that puts implementations to it."""

__version__ = "0.2.0"
# The name on the package index, where `assay` is another project.
DISTRIBUTION = "assay-conformance"
