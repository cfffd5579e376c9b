"""An implementation in another process, in any language. README.md in this folder describes the protocol."""
