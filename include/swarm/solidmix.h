/*
 * solidmix: what a bit of a solid payload will be, mixed from what followed in several contexts.
 *
 * A context is a hash of whatever both sides know; what became of it is remembered in a counter.
 * The counters' opinions are added up in the logistic domain with weights that learn which of them
 * to trust, as in the PAQ compressors. All arithmetic is on integers: both sides must come to the
 * same bit on any machine.
 */
#ifndef SWARM_SOLIDMIX_H
#define SWARM_SOLIDMIX_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/rangecoder.h"

#define SOLIDMIX_INPUTS 16 /* contexts for a bit, at most */
#define SOLIDMIX_SETS   2  /* sets of weights that are used for a bit */

struct solidmix;

/* Both ways start from the same state, of a size that fits the new text. NULL: out of memory. */
struct solidmix *solidmix_new(uint64_t new_len, struct err *e);
void solidmix_free(struct solidmix *m);
/* What solidmix_new() takes, in bytes. */
uint64_t solidmix_memory(uint64_t new_len);
struct rangecoder *solidmix_coder(struct solidmix *m);

/* Sets of weights are numbered, each class of bits with its own numbers. */
#define SOLIDMIX_WEIGHTS 4096

/*
 * One bit. Each context is remembered from now on, but those from number `common` on only once the
 * bit was 1 in them: there are many of these, and in most nothing ever happens.
 */
unsigned solidmix_bit(struct solidmix *m, const uint64_t *contexts, unsigned count,
		      const unsigned *sets, unsigned common, unsigned bit);
/* A byte; sets[] hold 256 numbers each from there on. */
unsigned solidmix_byte(struct solidmix *m, const uint64_t *contexts, unsigned count,
		       const unsigned *sets, unsigned byte);
/* A number below 2^48, small ones short. It uses 128 sets from `set` on. */
uint64_t solidmix_number(struct solidmix *m, const uint64_t *contexts, unsigned count, unsigned set,
			 uint64_t number);

#endif
