"""The data sets that claims need: where they are found, and how they are fetched."""
