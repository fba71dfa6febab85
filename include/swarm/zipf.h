/* zipf: the exponent of a power law. */
#ifndef SWARM_ZIPF_H
#define SWARM_ZIPF_H

#include <stddef.h>
#include <stdint.h>

/* With fewer counts than these nothing is said. */
#define ZIPF_MIN 10

/*
 * The exponent s for which `counts` (n of them, in descending order, none of them 0) are the most
 * likely if each request goes to rank r of 1 to n with a probability proportional to r^-s: the
 * maximum likelihood estimate. NAN for fewer than ZIPF_MIN counts, for counts that are all equal,
 * and for an exponent above 8, which no traffic has.
 */
double zipf_exponent(const uint64_t *counts, size_t n);

#endif
