"""The specification: claims, their meaning, the vectors of the document, and the thresholds."""
