"""What `dini emit` refuses of tests/programs: (language, program) -> words of the diagnostic -> the functions, "" where it
names none. A refusal that is not here fails emitted_programs.py, and one that does not happen any more does too."""

# The compiler has no such derivative at all, E0903.
WIDE = {"error[E0903]: the derivative of qr of a matrix with more columns than rows": [""]}

# The number of stored entries of a cotangent.
ENTRIES = {"a parameter or a result whose size is known only when the program runs": ["pattern_vjp"]}

# The rows that move are counted when the program runs.
LAYERS = {
    "the size of an axis that is known only when the program runs": [
        "wide_vjp", "wide_jvp",
    ],
}
# The same.
REDUCTION = {
    "the size of an axis that is known only when the program runs": [
        "lasso_rows_vjp", "lasso_rows_jvp", "layer_rows_vjp", "layer_rows_jvp", "rows_sum_vjp", "rows_sum_jvp",
        "box_rows_vjp", "box_rows_jvp", "simplex_rows_vjp", "simplex_rows_jvp", "beside_rows_vjp", "beside_rows_jvp",
    ],
}
# The same.
SOLVERS = {
    "rows whose size is known only when the program runs": [
        "sparse_fit_vjp",
    ],
}

REFUSALS = {("cpp", "sizes"): WIDE, ("dini", "sizes"): WIDE, ("dini", "sparse"): ENTRIES,
            ("dini", "layers"): LAYERS,
            ("dini", "reduction"): REDUCTION,
            ("dini", "solvers"): SOLVERS}
