"""An implementation in another process, in any language: what is said to it is in README.md beside this file."""
