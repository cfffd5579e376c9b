"""Other implementations of the contract: each in its own file or folder, as an example of adapting a framework."""
