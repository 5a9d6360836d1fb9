"""What a search on a task begins from. Alone in a file that imports nothing: the command line completes these names."""

BASES = {
    "modular": {"mlp": "first_map", "transformer": "modular_addition_decay"},
    "composition": {"gpt2": "small_composition_ratio"},
    "comparison": {"gpt2": "small_comparison_ratio"},
    "complex_comparison": {"gpt2": "small_complex_reasoning"},
}
"""Task -> model -> the study of the catalog whose base run, horizon and phase definition a search begins from."""
