"""The claims as data: what they state, which test decides each, and how shards divide them."""
