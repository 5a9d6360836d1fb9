"""Optimizers for packs: one file each, a frozen dataclass of per-run numbers and one batched, in-place update.

`Optimizer.slots` names the state matrices, each shaped (R, W) like the weights. `columns(hyper, step)` gives what one
step needs of the hyperparameters: `hyper[field]` is an (R, 1) column of that field over the runs, `step` a 0-d tensor
with the number of steps done before. `update(weights_RW, grads_RW, state, columns, layout)` changes weights and state
in place. The two are apart because a compiler would recompute powers of the step for every weight (measured: 2.5 times
slower).
"""
