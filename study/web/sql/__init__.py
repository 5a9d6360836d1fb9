"""The SQL page: an editor, the answer of a query as a table and as a chart."""
