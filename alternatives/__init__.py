"""Other implementations of the contract: each a file or a folder of its own, which shows how to adapt a framework."""
