"""What a part must do to be trained, searched or shown: the conformance tests of the package's own parts, which
`study check FILE` runs on a user's.

One file for each kind of part. A check is a function that returns what it found in words, raises Wrong for what cannot
work, with the values and the mend, or Skipped for what cannot be tried here.
"""
