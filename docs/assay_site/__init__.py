"""The pages of the site that follow from the code: claims, commands, ledger, coverage, limits, findings."""
