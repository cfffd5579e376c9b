"""Reports: pages, Markdown, JUnit XML, comparisons and figures."""
