"""JSON and TOML files with errors that name the place, files that commands write, and locks."""
