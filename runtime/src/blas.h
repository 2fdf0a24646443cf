// OpenBLAS, loaded on demand: the functions that linalg.cpp and decompositions.cpp call.
// Not here: anything public.
#pragma once

#include <cstdint>

namespace dini::blas {

// Fortran's conventions: column-major, everything by pointer, lengths of strings ignored.
struct Table {
  void (*dgemm)(const char* ta, const char* tb, const int* m, const int* n, const int* k,
                const double* alpha, const double* a, const int* lda, const double* b,
                const int* ldb, const double* beta, double* c, const int* ldc);
  void (*dtrsm)(const char* side, const char* uplo, const char* trans, const char* diag,
                const int* m, const int* n, const double* alpha, const double* a, const int* lda,
                double* b, const int* ldb);
  void (*dgetrf)(const int* m, const int* n, double* a, const int* lda, int* pivots, int* info);
  void (*dpotrf)(const char* uplo, const int* n, double* a, const int* lda, int* info);
  void (*dsytrf)(const char* uplo, const int* n, double* a, const int* lda, int* pivots,
                 double* work, const int* lwork, int* info);
  void (*dsyevd)(const char* jobz, const char* uplo, const int* n, double* a, const int* lda,
                 double* w, double* work, const int* lwork, int* iwork, const int* liwork,
                 int* info);
  void (*dgesdd)(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s,
                 double* u, const int* ldu, double* vt, const int* ldvt, double* work,
                 const int* lwork, int* iwork, int* info);
  void (*dgeqrf)(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
                 const int* lwork, int* info);
  void (*dorgqr)(const int* m, const int* n, const int* k, double* a, const int* lda,
                 const double* tau, double* work, const int* lwork, int* info);
};

const Table& table();

}  // namespace dini::blas
