"""The executable claims: one file for each section of the document."""
