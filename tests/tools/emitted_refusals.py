"""What `dini emit` refuses of tests/programs: (language, program) -> words of the diagnostic -> the functions, "" where it
names none. A refusal that is not here fails emitted_programs.py, and one that does not happen any more does too."""

# The compiler has no such derivative at all, E0903.
WIDE = {"error[E0903]: the derivative of qr of a matrix with more columns than rows": [""]}

# Rows that are counted when the program runs.
SOLVERS = {
    "rows whose size is known only when the program runs": [
        "sparse_fit_vjp",
    ],
}

REFUSALS = {("cpp", "sizes"): WIDE, ("dini", "sizes"): WIDE, ("dini", "solvers"): SOLVERS}
