/* num: numbers as people and options write them. */
#ifndef SWARM_NUM_H
#define SWARM_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest number that a document may hold: JavaScript reads all integers up to here exactly. */
#define NUM_MAX ((UINT64_C(1) << 53) - 1)

/* `0|[1-9][0-9]*`, at most NUM_MAX. */
bool num_parse(const char *text, uint64_t *ret);
/* The same with an optional binary unit: K, M, G, T, each also with iB ("256K", "1MiB"). */
bool num_parse_size(const char *text, uint64_t *ret);
/* A share: "0.95", ".5", "1": above 0, at most 1, up to nine decimals. */
bool num_parse_share(const char *text, double *ret);
/* a + b and a * b where they do not wrap, else false. */
bool num_add(uint64_t a, uint64_t b, uint64_t *ret);
bool num_mul(uint64_t a, uint64_t b, uint64_t *ret);

#endif
