/* gate: keeps what several threads hold at the same time, such as memory, within a limit. */
#ifndef SWARM_GATE_H
#define SWARM_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/err.h"

struct gate;

struct gate *gate_new(uint64_t limit, struct err *e);
void gate_free(struct gate *g);
/* Waits until there is room for `amount`; false, at once, if there can never be. Not nested. */
bool gate_enter(struct gate *g, uint64_t amount);
void gate_leave(struct gate *g, uint64_t amount);

#endif
