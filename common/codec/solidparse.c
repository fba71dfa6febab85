#include "swarm/solidparse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What things cost, about, in sixteenths of a bit. */
#define COST_MISS      160 /* another byte than the source's */
#define COST_NEXT_MISS 112 /* right behind such a one */
#define COST_LITERALS  120 /* to begin literals */
#define COST_LITERAL   56
#define COST_NEAR      128 /* to go on at another place, and for each bit of how far */
#define COST_NEAR_BIT  28
#define COST_FAR       480
#define COST_LIKE      400       /* to go on behind the same bytes as these */
#define COST_MARGIN    (48 * 16) /* what is worse than the best by this never wins */

#define KNOWN_BITS 18

#define STATES      12
#define NODES_SPARE 64 /* more than one place needs */
#define NODES_MIN   1024
#define NODES_MAX   (1U << 20)
#define NEAR_BACK   64
#define NEAR_AHEAD  192
#define NEAR_FEW    4  /* how many near places are tried */
#define SURE        32 /* bytes that were the same since the last miss: this is it */

/* One way to come to the place at hand. */
struct state {
	uint64_t source; /* of the next byte; in literals: where the source was left */
	uint32_t cost;
	uint32_t node;
	uint32_t run; /* bytes since the last miss, or of literals */
	bool literal;
};

/* A step of some way, and the one before it. */
struct node {
	uint64_t at, source;
	uint32_t before;
};

struct parse {
	const struct solidparse_text *t;
	struct solidindex *index;
	struct state states[STATES], next[STATES];
	unsigned count, next_count;
	struct node *nodes;
	uint32_t node_count, node_cap;
	struct solidparse_step *steps;
	size_t step_count, step_cap;
	uint8_t *known; /* how often an edit was made before */
	size_t settled;
	uint64_t settled_source; /* and `settled_literal`: the way at `settled` */
	bool settled_literal;
	size_t dull; /* literals since anything was found */
};

/* The bytes of a source up to the end of its text; NULL where it has none. */
static const uint8_t *source_bytes(const struct parse *p, uint64_t source, size_t *left)
{
	bool new = source &SOLIDPARSE_NEW;
	size_t from = (size_t)(source & ~SOLIDPARSE_NEW);
	size_t end = new ? p->t->new_len : p->t->old_len;

	*left = from < end ? end - from : 0;
	if (*left == 0)
		return NULL;
	return (new ? p->t->new : p->t->old) + from;
}

static bool matches(const struct parse *p, uint64_t source, size_t at)
{
	size_t left;
	const uint8_t *bytes = source_bytes(p, source, &left);

	return left > 0 && *bytes == p->t->new[at];
}

enum edit { EDIT_REPLACE, EDIT_BEGIN, EDIT_LITERAL, EDIT_NEAR };

/* The place in `known` of an edit: what is done to which bytes of the source. */
static uint8_t *find_edit(const struct parse *p, enum edit kind, uint64_t source, size_t at,
			  uint64_t what)
{
	size_t left;
	const uint8_t *bytes = source_bytes(p, source, &left);
	uint32_t next = 0;
	uint64_t h = what << 2 | kind;

	if (left >= 4)
		memcpy(&next, bytes, 4);
	h = (h * UINT64_C(0xd6e8feb86659fd93)) ^ (next & 0xffffff);
	h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	if (at >= 2)
		h += (uint64_t)p->t->new[at - 1] << 8 | p->t->new[at - 2];
	h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return &p->known[h >> (64 - KNOWN_BITS)];
}

/* What was done before is expected again, and costs less. */
static uint32_t edit_cost(const struct parse *p, enum edit kind, uint64_t source, size_t at,
			  uint64_t what, uint32_t cost)
{
	static const uint8_t share[] = {16, 12, 10, 10, 8, 4, 2}; /* sixteenths */
	uint8_t times = *find_edit(p, kind, source, at, what);
	unsigned often = times < 4 ? times : times < 16 ? 4 : times < 64 ? 5 : 6;

	return cost * share[often] / 16;
}

static void note_edit(const struct parse *p, enum edit kind, uint64_t source, size_t at,
		      uint64_t what)
{
	uint8_t *times = find_edit(p, kind, source, at, what);

	if (*times < UINT8_MAX)
		++*times;
}

/* Puts a way among those that go on, unless one with the same source is as good. */
static void offer(struct parse *p, const struct state *s)
{
	unsigned worst = 0;

	for (unsigned i = 0; i < p->next_count; i++) {
		struct state *other = &p->next[i];
		if (other->literal == s->literal && (s->literal || other->source == s->source)) {
			if (s->cost < other->cost)
				*other = *s;
			return;
		}
		if (other->cost > p->next[worst].cost)
			worst = i;
	}
	if (p->next_count < STATES)
		p->next[p->next_count++] = *s;
	else if (s->cost < p->next[worst].cost)
		p->next[worst] = *s;
}

static uint32_t add_node(struct parse *p, uint32_t before, size_t at, uint64_t source)
{
	p->nodes[p->node_count] = (struct node){at, source, before};
	return p->node_count++;
}

/* Not for what was left so long ago that it is out of reach, nor for what is not yet made. */
static bool is_in_reach(const struct parse *p, uint64_t source, size_t at)
{
	uint64_t back = at - (source & ~SOLIDPARSE_NEW);

	return !(source & SOLIDPARSE_NEW) || (back >= SOLIDPARSE_APART && back <= p->t->reach);
}

/* Goes on from `from` at another source, which has the next byte. */
static void jump(struct parse *p, const struct state *from, size_t at, uint64_t source,
		 uint32_t cost)
{
	struct state s = {.source = source + 1, .cost = from->cost + cost, .run = 1};

	if (!is_in_reach(p, source, at))
		return;
	s.node = add_node(p, from->node, at, source);
	offer(p, &s);
}

static uint32_t near_cost(uint64_t distance)
{
	uint32_t bits = 0;

	while (bits < 40 && distance >> bits > 0)
		bits++;
	uint32_t cost = COST_NEAR + bits * COST_NEAR_BIT;
	return cost < COST_FAR ? cost : COST_FAR;
}

/* Sources a little before and behind the one that is left: something was put in or taken out. */
static void jump_near(struct parse *p, const struct state *from, size_t at)
{
	size_t left;
	const uint8_t *bytes = source_bytes(p, from->source, &left);
	const uint8_t *want = p->t->new + at;
	size_t have = p->t->new_len - at;
	size_t back = (size_t)(from->source & ~SOLIDPARSE_NEW);
	size_t ahead = left < NEAR_AHEAD ? left : NEAR_AHEAD;
	unsigned found = 0;

	if (left == 0)
		return;
	if (from->source & SOLIDPARSE_NEW) {
		if (at - back < SOLIDPARSE_APART)
			return;
		if (ahead > at - back - SOLIDPARSE_APART)
			ahead = at - back - SOLIDPARSE_APART;
	}
	if (back > NEAR_BACK)
		back = NEAR_BACK;
	for (size_t d = 0; d <= NEAR_AHEAD && found < NEAR_FEW; d++) {
		size_t need = d <= 4 ? 2 : 4;
		if (need > have)
			need = have;
		if (d + need <= ahead && (d > 0 || from->literal) &&
		    memcmp(bytes + d, want, need) == 0) {
			jump(p, from, at, from->source + d,
			     edit_cost(p, EDIT_NEAR, from->source, at, d, near_cost(d)));
			found++;
		}
		if (d > 0 && d <= back && memcmp(bytes - d, want, need) == 0) {
			jump(p, from, at, from->source - d,
			     edit_cost(p, EDIT_NEAR, from->source, at, 0 - d, near_cost(d)));
			found++;
		}
	}
}

/* What came behind the last bytes before. */
static void jump_like(struct parse *p, const struct state *from, size_t at)
{
	size_t like;

	if (solidindex_like(p->index, at, &like) && p->t->new[like] == p->t->new[at])
		jump(p, from, at, like | SOLIDPARSE_NEW, COST_LIKE);
}

/* The longest occurrences anywhere. */
static void jump_far(struct parse *p, const struct state *from, size_t at)
{
	uint64_t near = from->source;
	size_t old, new;
	size_t len = solidindex_old(p->index, at, near & SOLIDPARSE_NEW ? 0 : (size_t)near, &old);

	if (len >= 4) {
		uint64_t distance = old < near ? near - old : old - near;
		jump(p, from, at, old, near_cost(distance));
	}
	size_t new_len = solidindex_new_text(p->index, at, &new);
	if (new_len >= 8)
		jump(p, from, at, new | SOLIDPARSE_NEW, COST_FAR);
	if (len >= 12 || new_len >= 12)
		p->dull = 0;
}

/* Each way one byte on. */
static void advance(struct parse *p, size_t at)
{
	unsigned best = 0;

	for (unsigned i = 1; i < p->count; i++) {
		if (p->states[i].cost < p->states[best].cost)
			best = i;
	}
	bool hit = false;
	p->next_count = 0;
	for (unsigned i = 0; i < p->count; i++) {
		struct state s = p->states[i];
		if (s.literal) {
			s.cost +=
			    edit_cost(p, EDIT_LITERAL, s.source, at, p->t->new[at], COST_LITERAL);
			s.run++;
		} else {
			bool same = matches(p, s.source, at);
			size_t left;
			if (i == best)
				hit = same;
			(void)source_bytes(p, s.source, &left);
			if (!same && left == 0)
				continue;
			if (!same)
				s.cost += edit_cost(p, EDIT_REPLACE, s.source, at, p->t->new[at],
						    s.run == 0 ? COST_NEXT_MISS : COST_MISS);
			s.run = same ? s.run + 1 : 0;
			s.source++;
		}
		offer(p, &s);
	}
	if (hit)
		return;
	const struct state *from = &p->states[best];
	if (!from->literal) {
		struct state s = *from;
		s.literal = true;
		s.cost += edit_cost(p, EDIT_BEGIN, s.source, at, p->t->new[at],
				    COST_LITERALS + COST_LITERAL);
		s.run = 1;
		s.node = add_node(p, from->node, at, SOLIDPARSE_LITERAL);
		offer(p, &s);
	}
	p->dull++;
	if (p->dull < 4096)
		jump_near(p, from, at);
	jump_like(p, from, at);
	if (p->dull < 256 || at % (p->dull < 16384 ? p->dull / 256 : 64) == 0)
		jump_far(p, from, at);
}

/* What is left far behind is given up; costs count from the best again. */
static void prune(struct parse *p)
{
	uint32_t least = UINT32_MAX;

	for (unsigned i = 0; i < p->next_count; i++) {
		if (p->next[i].cost < least)
			least = p->next[i].cost;
	}
	uint32_t margin = COST_MARGIN;
	p->count = 0;
	for (unsigned i = 0; i < p->next_count; i++) {
		struct state s = p->next[i];
		s.cost -= least;
		if (s.cost == 0 && !s.literal && s.run >= SURE) {
			p->states[0] = s;
			p->count = 1;
			return;
		}
		if (s.cost <= margin)
			p->states[p->count++] = s;
	}
}

/* Learns the edits on the way from where it was settled last. */
static void learn(struct parse *p, size_t first, size_t end)
{
	uint64_t source = p->settled_source;
	bool literal = p->settled_literal;

	for (size_t at = p->settled; at < end; at++) {
		uint64_t c = p->t->new[at];
		if (first < p->step_count && p->steps[first].at == at) {
			uint64_t to = p->steps[first++].source;
			if (to == SOLIDPARSE_LITERAL) {
				note_edit(p, EDIT_BEGIN, source, at, c);
				literal = true;
				continue;
			}
			if (to - source + NEAR_BACK <= NEAR_BACK + NEAR_AHEAD)
				note_edit(p, EDIT_NEAR, source, at, to - source);
			source = to + 1;
			literal = false;
		} else if (literal) {
			note_edit(p, EDIT_LITERAL, source, at, c);
		} else {
			if (!matches(p, source, at))
				note_edit(p, EDIT_REPLACE, source, at, c);
			source++;
		}
	}
}

/* Writes down the steps on the way to a state, and begins anew from there. */
static int settle(struct parse *p, const struct state *s, size_t at, struct err *e)
{
	size_t n = 0;

	for (uint32_t k = s->node; k != 0; k = p->nodes[k].before)
		n++;
	if (p->step_count + n > p->step_cap) {
		size_t cap = p->step_cap * 2 + n + 1024;
		struct solidparse_step *steps = realloc(p->steps, cap * sizeof *steps);
		if (steps == NULL)
			return err_nomem(e);
		p->steps = steps;
		p->step_cap = cap;
	}
	p->step_count += n;
	size_t place = p->step_count;
	for (uint32_t k = s->node; k != 0; k = p->nodes[k].before)
		p->steps[--place] = (struct solidparse_step){p->nodes[k].at, p->nodes[k].source};
	learn(p, place, at);
	p->settled = at;
	p->settled_source = s->source;
	p->settled_literal = s->literal;
	p->states[0] = *s;
	p->states[0].node = 0;
	p->count = 1;
	p->node_count = 1;
	return 0;
}

/* How many bytes go along the only way there is. */
static size_t run_along(struct parse *p, size_t at)
{
	struct state *s = &p->states[0];
	size_t left, n = 0;

	if (p->count != 1 || s->literal)
		return 0;
	const uint8_t *from = source_bytes(p, s->source, &left);
	const uint8_t *to = p->t->new + at;
	if (left > p->t->new_len - at)
		left = p->t->new_len - at;
	while (n < left && from[n] == to[n])
		n++;
	s->source += n;
	s->run += (uint32_t)(n < SURE ? n : SURE);
	return n;
}

static int parse_all(struct parse *p, struct err *e)
{
	p->states[0] = (struct state){.literal = true};
	p->count = 1;
	p->node_count = 1;
	if (p->t->new_len > 0)
		p->states[0].node = add_node(p, 0, 0, SOLIDPARSE_LITERAL);
	p->settled_literal = true;
	for (size_t at = 0; at < p->t->new_len; at++) {
		size_t along = run_along(p, at);
		if (along > 0) {
			at += along;
			p->settled = at;
			p->settled_source = p->states[0].source;
		}
		if (at == p->t->new_len)
			break;
		solidindex_add(p->index, at);
		advance(p, at);
		prune(p);
		if (p->count == 1 || p->node_count > p->node_cap - NODES_SPARE) {
			const struct state *best = &p->states[0];
			for (unsigned i = 1; i < p->count; i++) {
				if (p->states[i].cost < best->cost)
					best = &p->states[i];
			}
			struct state chosen = *best;
			if (settle(p, &chosen, at + 1, e) != 0)
				return -1;
		}
	}
	const struct state *best = &p->states[0];
	for (unsigned i = 1; i < p->count; i++) {
		if (p->states[i].cost < best->cost)
			best = &p->states[i];
	}
	struct state chosen = *best;
	return settle(p, &chosen, p->t->new_len, e);
}

int solidparse_run(const struct solidparse_text *text, struct solidindex *index,
		   struct solidparse_step **ret, size_t *ret_count, struct err *e)
{
	struct parse *p = calloc(1, sizeof *p);
	int result = -1;

	if (p == NULL)
		return err_nomem(e);
	p->t = text;
	p->index = index;
	p->node_cap =
	    text->new_len < NODES_MAX - NODES_MIN ? (uint32_t)text->new_len + NODES_MIN : NODES_MAX;
	p->nodes = malloc(p->node_cap * sizeof *p->nodes);
	p->known = calloc((size_t)1 << KNOWN_BITS, 1);
	if (p->nodes == NULL || p->known == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	if (parse_all(p, e) != 0)
		goto out;
	/* A first byte that has a source takes the place of the literals that all ways begin with.
	 */
	size_t skip = p->step_count > 1 && p->steps[1].at == 0 ? 1 : 0;
	if (skip > 0)
		memmove(p->steps, p->steps + 1, (p->step_count - 1) * sizeof *p->steps);
	*ret = p->steps;
	*ret_count = p->step_count - skip;
	p->steps = NULL;
	result = 0;
out:
	free(p->nodes);
	free(p->known);
	free(p->steps);
	free(p);
	return result;
}
