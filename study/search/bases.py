"""What a search on a task begins from. Alone in a file that imports nothing: the command line completes these names."""

BASES = {
    "modular": {"mlp": "first_map", "transformer": "modular_addition_decay"},
    "composition": {"gpt2": "small_composition_ratio", "transformer": "pathways_paper"},
    "comparison": {"gpt2": "small_comparison_ratio"},
    "complex_comparison": {"gpt2": "small_complex_reasoning"},
    "arithmetic": {"transformer": "data_formats", "gpt2": "data_formats_paper"},
    "denoising": {"transformer": "denoising_twins"},
    "emergence": {"transformer": "emergence"},
    "group": {"mlp": "feature_emergence"},
    "hops": {"transformer": "coverage", "gpt2": "coverage_paper"},
    "in_context_classification": {"transformer": "learning_to_learn"},
    "integer_addition": {"decoder": "effective_theory"},
    "linear_regression": {"transformer": "in_context_regression"},
    "repeated": {"transformer": "repeated_data"},
    "rewrite": {"transformer": "instruction_diversity", "gpt2": "instruction_diversity_paper"},
    "scan": {"transformer": "compositional_factors", "gpt2": "compositional_factors_paper"},
}
"""Task -> model -> the study of the catalog whose base run, horizon and phase definition a search begins from."""
