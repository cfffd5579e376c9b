"""What a run found: outcomes, ledgers, expectations, and the verdict they come to."""
