#include "swarm/contest.h"

#include <string.h>

#include "swarm/dcz.h"

/* On its own, too. */
#define RIVALS_MAX (ORDERS_BASES_MAX + 1)
/*
 * Bases are compared at a level that takes a fiftieth of the time; the best, and what comes close
 * to it, are encoded in full. On a real pair of releases with five hundred payloads, encoding all
 * against bases below 1 MB in full chose the same ones.
 */
#define TRIAL_LEVEL       12
#define TRIAL_LEVEL_LARGE 6
#define TRIAL_LARGE       (UINT64_C(1) << 20)
#define FINALISTS         2
#define FINALIST_PER_CENT 3
#define FINALIST_SPARE    8
/* Hardly anything shrinks to a part of itself as small as this on its own. */
#define PLAIN_HOPELESS 32
/*
 * A payload of a byte less is not worth a base of many bytes more, which client and maker have to
 * read: so many bytes of a base count as one of the payload.
 */
#define BASE_PER_BYTE 16384
/* What a payload of a public file may cost more, in per cent, so that peers can have it. */
#define PUBLIC_PER_CENT 10

/* A way to make the file. */
struct rival {
	const struct entry *base; /* NULL: on its own */
	bool hides;               /* a public file's payload would be origin */
	int level;                /* that memory allows; 0: none */
	uint64_t trial;           /* what the payload costs at a low level */
};

struct contest {
	const struct contest_rules *rules;
	const struct depot_content *content;
	const struct stock *old;
	struct buf trial; /* a payload that is only weighed, or looked at */
	struct buf *best; /* the winner's so far */
	uint64_t cost;    /* of that one */
	struct contest_winner *winner;
};

/* --- who takes part -----------------------------------------------------------------------------
 */

static uint64_t base_size(const struct rival *rival)
{
	return rival->base != NULL ? rival->base->size : 0;
}

/* A buffer may be half as long again as what is in it. */
static uint64_t buffer_memory(uint64_t len)
{
	return len + len / 2;
}

/* All that is held while a payload is made. */
static uint64_t memory_of(const struct rival *rival, uint64_t len, int level)
{
	uint64_t encode = dcz_encode_memory(base_size(rival), len, level);
	uint64_t decode = dcz_decode_memory(base_size(rival), len);

	/* Payloads may be a little longer than the file. */
	return buffer_memory(base_size(rival)) + 3 * buffer_memory(len + len / 128 + 1024) +
	       (encode > decode ? encode : decode);
}

/* The highest level that there is memory for; 0 if not even the lowest. */
static int affordable(const struct contest_rules *rules, const struct rival *rival, uint64_t len)
{
	int level = rules->level;

	while (level > 0 && memory_of(rival, len, level) > rules->memory)
		level--;
	return level;
}

static size_t list_rivals(const struct contest_rules *rules, const struct orders_order *order,
			  uint64_t len, struct rival ret[static RIVALS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i <= order->base_count; i++) {
		struct rival rival = {.base = i < order->base_count ? order->bases[i] : NULL};
		rival.hides = orders_hides(rules->orders, order, rival.base);
		rival.level = affordable(rules, &rival, len);
		if (rival.level > 0)
			ret[count++] = rival;
	}
	return count;
}

uint64_t contest_memory(const struct contest_rules *rules, const struct orders_order *order,
			uint64_t len)
{
	struct rival rivals[RIVALS_MAX];
	size_t count = list_rivals(rules, order, len, rivals);
	uint64_t most = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t memory = memory_of(&rivals[i], len, rivals[i].level);
		most = memory > most ? memory : most;
	}
	return most;
}

/* --- trials -------------------------------------------------------------------------------------
 */

static uint64_t cost_of(const struct rival *rival, const struct buf *payload)
{
	uint64_t cost = payload->len + base_size(rival) / BASE_PER_BYTE;

	return rival->hides ? cost + cost * PUBLIC_PER_CENT / 100 : cost;
}

/* Reads the base to `bytes`, which the caller releases in any case. */
static int load_base(const struct contest *c, const struct entry *entry, struct buf *bytes,
		     struct dcz_base *ret, struct err *e)
{
	*ret = (struct dcz_base){.bytes = NULL};
	if (entry == NULL)
		return 0;
	if (stock_load(c->old, entry, bytes, ret->sha256, e) != 0)
		return -1;
	ret->bytes = (const uint8_t *)bytes->data;
	ret->len = bytes->len;
	return 0;
}

/* Leaves the payload in c->trial. */
static int encode(struct contest *c, const struct dcz_base *base, int level, struct err *e)
{
	const struct buf *bytes = &c->content->bytes;

	buf_clear(&c->trial);
	return dcz_encode(base, (const uint8_t *)bytes->data, bytes->len, level, &c->trial, e);
}

static int try_rival(struct contest *c, struct rival *rival, struct err *e)
{
	struct buf bytes = BUF_INIT;
	struct dcz_base base;
	uint64_t both = base_size(rival) + c->content->bytes.len;
	int level = both > TRIAL_LARGE ? TRIAL_LEVEL_LARGE : TRIAL_LEVEL;
	int status = load_base(c, rival->base, &bytes, &base, e);

	if (status == 0)
		status = encode(c, &base, rival->level < level ? rival->level : level, e);
	if (status == 0)
		rival->trial = cost_of(rival, &c->trial);
	buf_release(&bytes);
	return status;
}

/* The best first; of equal ones what was there first. */
static void sort_rivals(struct rival *rivals, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct rival moved = rivals[i];
		size_t at = i;
		for (; at > 0 && moved.trial < rivals[at - 1].trial; at--)
			rivals[at] = rivals[at - 1];
		rivals[at] = moved;
	}
}

/* Whether it cannot beat what costs so much: because of its size, or because it has no base. */
static bool is_hopeless(const struct rival *rival, uint64_t len, uint64_t best)
{
	if (rival->base == NULL)
		return best <= len / PLAIN_HOPELESS;
	return best <= base_size(rival) / BASE_PER_BYTE + DCZ_HEADER_SIZE;
}

/* Small bases first, and none at all last: what they cost spares most large ones. */
static int try_rivals(struct contest *c, struct rival *rivals, size_t count, struct err *e)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		rivals[i].trial = rivals[i].base != NULL ? base_size(&rivals[i]) : UINT64_MAX;
	sort_rivals(rivals, count);
	for (size_t i = 0; i < count; i++) {
		rivals[i].trial = UINT64_MAX;
		if (is_hopeless(&rivals[i], c->content->bytes.len, best))
			continue;
		if (try_rival(c, &rivals[i], e) != 0)
			return -1;
		best = rivals[i].trial < best ? rivals[i].trial : best;
	}
	sort_rivals(rivals, count);
	return 0;
}

/* --- the final ----------------------------------------------------------------------------------
 */

/* Leaves the payload of this rival, proven, in c->trial. */
static int encode_in_full(struct contest *c, const struct dcz_base *base, int level,
			  bool *ret_exists, struct err *e)
{
	const struct buf *bytes = &c->content->bytes;

	if (depot_find(c->rules->depot, c->content, base, &c->trial, ret_exists, e) != 0)
		return -1;
	if (*ret_exists)
		return 0;
	if (encode(c, base, level, e) != 0)
		return -1;
	if (dcz_prove(base, (const uint8_t *)c->trial.data, c->trial.len,
		      (const uint8_t *)bytes->data, bytes->len, e) != 0) {
		e->code = ERR_SYSTEM;
		return err_prefix(e, "libzstd made a wrong payload");
	}
	return 0;
}

static void crown(struct contest *c, const struct rival *rival, const struct dcz_base *base,
		  bool exists)
{
	struct buf loser = *c->best;

	c->cost = cost_of(rival, &c->trial);
	*c->best = c->trial;
	c->trial = loser;
	*c->winner = (struct contest_winner){.any = true, .base = rival->base, .exists = exists};
	memcpy(c->winner->base_sha256, base->sha256, SHA256_SIZE);
}

static int contend(struct contest *c, const struct rival *rival, struct err *e)
{
	struct buf bytes = BUF_INIT;
	struct dcz_base base;
	bool exists = false;
	int status = load_base(c, rival->base, &bytes, &base, e);

	if (status == 0)
		status = encode_in_full(c, &base, rival->level, &exists, e);
	if (status == 0 && (!c->winner->any || cost_of(rival, &c->trial) < c->cost))
		crown(c, rival, &base, exists);
	buf_release(&bytes);
	return status;
}

static bool is_close(const struct rival *rival, const struct rival *best)
{
	return rival->trial <= best->trial + best->trial / 100 * FINALIST_PER_CENT + FINALIST_SPARE;
}

int contest_run(const struct contest_rules *rules, const struct orders_order *order,
		const struct depot_content *content, const struct stock *old, struct buf *best,
		struct contest_winner *ret, struct err *e)
{
	struct contest c = {.rules = rules,
			    .content = content,
			    .old = old,
			    .trial = BUF_INIT,
			    .best = best,
			    .winner = ret};
	struct rival rivals[RIVALS_MAX];
	size_t count = list_rivals(rules, order, content->bytes.len, rivals);
	int status = 0;

	*ret = (struct contest_winner){.any = false};
	if (count > 1)
		status = try_rivals(&c, rivals, count, e);
	for (size_t i = 0; status == 0 && i < count && i < FINALISTS; i++) {
		if (i > 0 && !is_close(&rivals[i], &rivals[0]))
			break;
		status = contend(&c, &rivals[i], e);
	}
	buf_release(&c.trial);
	return status;
}
