"""What people and machines see of ledgers and benchmarks: pages, Markdown, JUnit XML, comparisons."""
