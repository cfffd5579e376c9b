"""Whether an adapter works at all, tried step by step in a process of its own."""
