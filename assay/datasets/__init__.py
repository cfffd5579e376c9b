"""The data sets that claims need: their locations and downloads."""
