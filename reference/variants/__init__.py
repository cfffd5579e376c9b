"""Other ways to train the models of the reference."""
