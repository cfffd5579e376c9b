"""Results of a run: outcomes, ledgers, expectations, and the verdict."""
