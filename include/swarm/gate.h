/* gate: keeps what several threads hold at the same time, such as memory, within a limit. */
#ifndef SWARM_GATE_H
#define SWARM_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/err.h"

/*
 * What programs stay within unless they are told otherwise: 1 GiB of memory. Those that make
 * payloads and those that decode them have the same, so that nobody has to be told.
 */
#define GATE_MEMORY_DEFAULT (UINT64_C(1) << 30)

struct gate;

struct gate *gate_new(uint64_t limit, struct err *e);
void gate_free(struct gate *g);
/* Waits until there is room for `amount`; false, at once, if there can never be. Not nested. */
bool gate_enter(struct gate *g, uint64_t amount);
void gate_leave(struct gate *g, uint64_t amount);

#endif
