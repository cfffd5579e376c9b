"""The commands: a module for each, which is imported when the command is used."""
