"""JSON and text files, with errors that name the file."""
