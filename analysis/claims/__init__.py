"""One file for each system of the literature: its `CLAIMS` are what papers say of it in numbers."""
