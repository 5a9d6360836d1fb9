"""One file per system of the literature: `CLAIMS`, what its papers say in numbers, for `study claims` and reports."""
