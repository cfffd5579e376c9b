"""What people read: pages, Markdown, JUnit XML, comparisons and figures."""
