"""Optimizers for packs: one file each, a frozen dataclass of per-run numbers and one batched, in-place update.

`Optimizer.slots` names the state matrices, each of shape (R, W) like the weights. `columns(hyper, step)` computes what
one step needs from the hyperparameters: `hyper[field]` is an (R, 1) column with that field's value in each run, `step`
a 0-d tensor with the number of steps done before. `update(weights_RW, grads_RW, state, columns, layout)` changes
weights and state in place. They are two methods because in a single one the compiler recomputes powers of the step for
every weight (measured: 2.5 times slower).
"""
