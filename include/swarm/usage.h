/* usage: what each rule was good for in a tree, to find those that are dead. */
#ifndef SWARM_USAGE_H
#define SWARM_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/rules.h"

struct usage_rule {
	const struct rule *rule;
	uint64_t decided; /* how many paths have their label from it */
	bool matched;     /* at least one path */
	/* Of one that matched and decided nothing, an example: who decided, and what. */
	const struct rule *overruled_by;
	const char *example;
};

struct usage {
	struct usage_rule *rules; /* in their order */
	size_t count;
};

ERR_CHECK int usage_init(struct usage *u, const struct rules *rules, struct err *e);
void usage_release(struct usage *u);
/* Counts a path (borrowed until the release) and what was decided of it. */
void usage_note(struct usage *u, const struct rules *rules, const char *path,
		const struct rules_verdict *verdict);
/* Appends a line for each rule that labels nothing: why it does not. */
void usage_describe_dead(struct buf *to, const struct usage *u);

#endif
