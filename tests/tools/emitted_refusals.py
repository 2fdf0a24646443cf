"""What `dini emit` refuses of tests/programs: (language, program) -> words of the diagnostic -> the functions, "" where it
names none. A refusal that is not here fails emitted_programs.py, and one that does not happen any more does too."""

# The compiler has no such derivative at all, E0903.
WIDE = {"error[E0903]: the derivative of qr of a matrix with more columns than rows": [""]}

# A sparse factorisation, which neither text has.
SPARSE = {"the operation `sparse_solve`": [name + form for name in ("of_values", "middle") for form in ("", "_vjp", "_jvp")]}
# The number of stored entries of a cotangent.
ENTRIES = {"a parameter or a result whose size is known only when the program runs": ["pattern_vjp"]}

# Products by a linear map, whose solution is found by a Krylov method.
KRYLOV = {
    "a linear system without a matrix": [
        "cg_chain_vjp", "cg_chain_jvp", "minres_chain_vjp", "minres_chain_jvp", "gmres_chain_vjp", "gmres_chain_jvp",
        "bicgstab_chain_vjp", "bicgstab_chain_jvp", "tilted_gmres_vjp", "tilted_gmres_jvp", "tilted_bicgstab_vjp",
        "tilted_bicgstab_jvp", "kinked_gmres_vjp", "kinked_gmres_jvp", "stepped_vjp", "stepped_jvp",
    ],
}
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
# Known only when the program runs.
SPARSE_JACOBIANS = {
    "a linear system without a matrix": [
        "krylov_chain_vjp", "krylov_chain_jvp",
    ],
}

REFUSALS = {("cpp", "sizes"): WIDE, ("dini", "sizes"): WIDE, ("cpp", "sparse"): SPARSE, ("dini", "sparse"): {**SPARSE, **ENTRIES},
            ("dini", "krylov"): KRYLOV,
            ("dini", "layers"): LAYERS,
            ("dini", "reduction"): REDUCTION,
            ("dini", "solvers"): SOLVERS,
            ("dini", "sparse_jacobians"): SPARSE_JACOBIANS}
