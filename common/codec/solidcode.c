#include "swarm/solidcode.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/solidbulk.h"
#include "swarm/solidmix.h"

enum operation { OP_REPLACE, OP_LITERAL, OP_JUMP, OP_BULK };
enum jump { JUMP_NEAR, JUMP_RECENT, JUMP_NEW, JUMP_OTHER, JUMP_LIKE };

#define RECENT 4
/* Tables by what stands before a place in the new text are so large, in bits. */
#define PATTERN_MIN   12
#define PATTERN_MAX   22
#define PATTERN       6
#define WINDOW        65536 /* bytes of the old text that are read at once */
#define WINDOW_MIN    2048
#define WINDOW_BACK   64
#define BULK_SEEN     64 /* bytes at the end of bulk that the model learns from */
#define BULK_LITERALS 65535
#define NUMBER_BULK   5
#define CHUNK         65536 /* bytes of the new text that are put at once */

/* Sets of weights. */
enum {
	SETS_HIT = 0,
	SETS_HIT_TOO = 64,
	SETS_OP = 128,
	SETS_OP_TOO = 192,
	SETS_JUMP = 256,
	SETS_BYTE = 512,
	SETS_BYTE_TOO = 1024,
	SETS_NUMBER = 2048,
};

struct coder {
	const struct solidparse_step *end; /* of the steps, where they are known */
	struct solidmix *mix;
	struct solidbulk *bulk;
	bool decodes;
	uint64_t old_len, new_len, reach;
	/* the old text: all of it, or a window into it */
	const uint8_t *old;
	uint64_t old_at, old_have;
	uint8_t *window;
	const struct solid_io *io;
	struct err *e;
	bool failed; /* to read: what is decoded since then means nothing */
	struct err trouble;
	/* the new text: all of it, or the last of it in a ring */
	const uint8_t *new;
	uint8_t *ring;
	uint64_t mask;
	/* where we are */
	uint64_t at;
	uint64_t source;
	uint64_t aside[2]; /* the last source in each text, minus the place it was left at */
	bool literal;
	uint64_t made;   /* the last eight bytes, the latest lowest */
	uint64_t behind; /* the same of the source */
	uint64_t ahead;  /* the next eight of the source, the first lowest */
	uint32_t run;    /* bytes since the last miss */
	uint32_t gap;    /* the run before that */
	uint32_t misses; /* of the latest bytes, a bit each */
	uint32_t literals;
	uint64_t word, source_word; /* hashes of the word so far */
	uint64_t recent[RECENT];    /* source minus place, latest first */
	uint32_t *patterns;
	unsigned pattern_shift;
	uint64_t like; /* behind bytes like the last ones */
	uint32_t alike;
	uint8_t difference; /* of the last byte that was replaced */
};

static uint64_t hash(unsigned kind, uint64_t a, uint64_t b)
{
	uint64_t h = (a + kind) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32 ^ b) * UINT64_C(0xd6e8feb86659fd93);
	return (h ^ h >> 32) + ((uint64_t)kind << 56);
}

static uint64_t low(uint64_t bytes, unsigned count)
{
	return count >= 8 ? bytes : bytes & ((UINT64_C(1) << (8 * count)) - 1);
}

/* --- the texts -------------------------------------------------------------------------------- */

/*
 * Moves the window so that it begins a little before `at`. It is small at first: a payload that
 * jumps at each byte must not make us read much for each.
 */
static void move_window(struct coder *w, uint64_t at)
{
	uint64_t from = at > WINDOW_BACK ? at - WINDOW_BACK : 0;
	uint64_t len = WINDOW_MIN;

	if (at == w->old_at + w->old_have && w->old_have > 0)
		len = w->old_have < WINDOW / 2 ? w->old_have * 2 : WINDOW;
	if (len > w->old_len - from)
		len = w->old_len - from;
	if (w->io->read_old(w->io->context, from, w->window, (size_t)len, &w->trouble) != 0) {
		w->failed = true;
		memset(w->window, 0, (size_t)len);
	}
	w->old_at = from;
	w->old_have = len;
}

static uint8_t old_byte(struct coder *w, uint64_t at)
{
	if (at - w->old_at >= w->old_have) {
		if (at >= w->old_len || w->failed)
			return 0;
		move_window(w, at);
	}
	return w->old[at - w->old_at];
}

static uint8_t source_byte(struct coder *w, uint64_t source)
{
	if (!(source & SOLIDPARSE_NEW))
		return old_byte(w, source);
	source &= ~SOLIDPARSE_NEW;
	return source < w->at ? w->new[source & w->mask] : 0;
}

static bool has_guess(const struct coder *w)
{
	return w->source & SOLIDPARSE_NEW ? true : w->source < w->old_len;
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '$' || c >= 0x80;
}

static uint64_t go_on_word(uint64_t word, uint8_t c)
{
	return is_word(c) ? (word + c + 1) * UINT64_C(0x2545f4914f6cdd1d) : 0;
}

static void step_source(struct coder *w)
{
	uint8_t c = (uint8_t)w->ahead;

	w->behind = w->behind << 8 | c;
	w->source_word = go_on_word(w->source_word, c);
	w->ahead = w->ahead >> 8 | (uint64_t)source_byte(w, w->source + 8) << 56;
	w->source++;
}

static void set_source(struct coder *w, uint64_t source)
{
	uint64_t start = source & ~SOLIDPARSE_NEW;

	w->source = source;
	w->ahead = w->behind = w->source_word = 0;
	/* Ascending, so that a window moves once. */
	for (unsigned i = start < 16 ? (unsigned)start : 16; i > 0; i--) {
		uint8_t c = source_byte(w, source - i);
		w->behind = w->behind << 8 | c;
		w->source_word = go_on_word(w->source_word, c);
	}
	for (unsigned i = 0; i < 8; i++)
		w->ahead |= (uint64_t)source_byte(w, source + i) << (8 * i);
}

/* Looks for the last bytes further up, or goes on where they were found. */
static void follow(struct coder *w, uint8_t c)
{
	if (w->alike > 0 && w->new[w->like & w->mask] == c) {
		w->like++;
		if (w->alike < 65535)
			w->alike++;
	} else {
		w->alike = 0;
	}
	uint32_t *place = &w->patterns[(low(w->made, PATTERN) * UINT64_C(0x9e3779b97f4a7c15)) >>
				       w->pattern_shift];
	if (w->alike == 0 && *place != 0) {
		uint64_t back = (uint32_t)((uint32_t)w->at - *place);
		if (back > 0 && back < w->reach && back <= w->at) {
			w->like = w->at - back;
			while (w->alike < 32 && w->alike < w->like && w->alike + back < w->reach &&
			       w->new[(w->like - 1 - w->alike) & w->mask] ==
				   w->new[(w->at - 1 - w->alike) & w->mask])
				w->alike++;
		}
	}
	*place = (uint32_t)w->at;
}

static int flush(struct coder *w, uint64_t from)
{
	uint64_t len = w->at - from;

	return len == 0 ? 0
			: w->io->put(w->io->context, w->ring + (from & w->mask), (size_t)len, w->e);
}

static int put_byte(struct coder *w, uint8_t c)
{
	if (w->decodes)
		w->ring[w->at & w->mask] = c;
	w->at++;
	if (w->decodes && w->at % CHUNK == 0)
		return flush(w, w->at - CHUNK);
	return 0;
}

static int emit(struct coder *w, uint8_t c)
{
	if (put_byte(w, c) != 0)
		return -1;
	w->made = w->made << 8 | c;
	w->word = go_on_word(w->word, c);
	follow(w, c);
	return 0;
}

/* --- the model -------------------------------------------------------------------------------- */

static unsigned level(uint32_t n)
{
	unsigned bits = 0;

	if (n < 4)
		return n;
	while (n >> bits > 1)
		bits++;
	return 2 * bits + (n >> (bits - 1) & 1);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* What bytes like the last ones say of the guess: 0 nothing, 1 the same, 2 another. */
static unsigned agreement(const struct coder *w)
{
	if (w->alike == 0)
		return 0;
	return w->new[w->like & w->mask] == (uint8_t)w->ahead ? 1 : 2;
}

static bool code_hit(struct coder *w, bool hit)
{
	uint64_t contexts[10];
	unsigned n = 0;
	unsigned agree = agreement(w);
	unsigned run = level(w->run);

	contexts[n++] = hash(1, run, w->misses & 0xf);
	contexts[n++] = hash(7, least(w->run, 255), least(w->gap, 255));
	contexts[n++] = hash(8, agree | least(level(w->alike), 15) << 2, least(run, 12));
	unsigned common = w->run > 24 ? n : SOLIDMIX_INPUTS;
	contexts[n++] = hash(2, low(w->ahead, 1) | low(w->behind, 1) << 8 | low(w->made, 1) << 16,
			     w->misses & 3);
	contexts[n++] = hash(3, low(w->ahead, 4), low(w->behind, 2));
	contexts[n++] = hash(4, w->source_word, low(w->ahead, 3));
	contexts[n++] = hash(5, low(w->ahead, 2), low(w->behind, 4));
	contexts[n++] = hash(6, w->misses & 0xffff, low(w->ahead, 1));
	unsigned sets[] = {SETS_HIT + least(run, 15) * 3 + agree,
			   SETS_HIT_TOO + (w->misses & 15) * 2 +
			       (w->source & SOLIDPARSE_NEW ? 1 : 0)};
	return !solidmix_bit(w->mix, contexts, n, sets, common, !hit);
}

static enum operation code_op(struct coder *w, enum operation op)
{
	uint64_t contexts[8];
	unsigned n = 0;
	unsigned made = 0;
	unsigned mode = w->literal ? 1 + least(w->literals, 6) : 0;

	contexts[n++] = hash(20, mode, agreement(w) | least(level(w->alike), 15) << 2);
	contexts[n++] = hash(21, mode != 0, low(w->made, 2) | low(w->ahead, 2) << 16);
	contexts[n++] = hash(22, w->source_word + (mode != 0), low(w->ahead, 3));
	contexts[n++] = hash(23, mode, w->misses & 0xff);
	contexts[n++] = hash(24, mode != 0, low(w->made, 4));
	contexts[n++] =
	    hash(25, w->literal ? least(w->literals, 65535) : least(w->run, 255), mode != 0);
	unsigned base = n;
	for (unsigned k = 0; k < 2; k++) {
		uint64_t here[8];
		for (unsigned i = 0; i < base; i++)
			here[i] = contexts[i] + ((uint64_t)(made + 1 + 2 * k) << 32);
		unsigned sets[] = {SETS_OP + mode * 3 + k + made,
				   SETS_OP_TOO + agreement(w) * 3 + k + made};
		made = made << 1 |
		       solidmix_bit(w->mix, here, base, sets, SOLIDMIX_INPUTS, op >> (1 - k) & 1);
	}
	return (enum operation)made;
}

static uint8_t code_byte(struct coder *w, uint8_t c)
{
	uint64_t contexts[SOLIDMIX_INPUTS];
	unsigned n = 0;
	unsigned mode = w->literal;
	unsigned alike = least(level(w->alike), 15);
	uint64_t like = w->alike ? w->new[w->like & w->mask] + 1U : 0;
	uint64_t guess = low(w->ahead, 1);

	contexts[n++] = hash(40, mode, low(w->made, 1));
	contexts[n++] = hash(41, 0, low(w->made, 2));
	contexts[n++] = hash(42, 0, low(w->made, 3));
	contexts[n++] = hash(43, 0, low(w->made, 4));
	contexts[n++] = hash(44, 0, low(w->made, 6));
	contexts[n++] = hash(45, mode, guess | low(w->made, 1) << 8);
	contexts[n++] = hash(46, w->source_word + mode, low(w->ahead, 3));
	contexts[n++] =
	    hash(47, low(w->ahead, 3) << 1 | mode, low(w->behind, 2) | low(w->made, 1) << 32);
	contexts[n++] = hash(48, w->word, low(w->made, 1));
	contexts[n++] = hash(49, like | alike << 9, mode);
	contexts[n++] = hash(50, (guess + w->difference) & 0xff, mode | guess << 8);
	contexts[n++] = hash(51, like, guess | mode << 8 | low(w->made, 1) << 16);
	unsigned sets[] = {SETS_BYTE + mode * 256, SETS_BYTE_TOO + least(alike / 3, 3) * 256};
	return (uint8_t)solidmix_byte(w->mix, contexts, n, sets, c);
}

static uint64_t code_number(struct coder *w, unsigned kind, uint64_t number)
{
	uint64_t contexts[] = {
	    hash(60, kind, 0),
	    hash(61, kind, w->literal ? least(w->literals, 255) + 1 : 0),
	    hash(62, w->source_word + kind, low(w->ahead, 3)),
	};

	return solidmix_number(w->mix, contexts, 3, SETS_NUMBER + kind * 128, number);
}

/* --- operations ------------------------------------------------------------------------------- */

/* Small numbers for what lies near, on either side. */
static uint64_t fold(int64_t n)
{
	return n < 0 ? (uint64_t)(-(n + 1)) * 2 + 1 : (uint64_t)n * 2;
}

static int64_t unfold(uint64_t n)
{
	return n & 1 ? -(int64_t)(n / 2) - 1 : (int64_t)(n / 2);
}

/* Where the source in the text that is left aside would be by now. */
static uint64_t other_side(const struct coder *w)
{
	return w->aside[w->source & SOLIDPARSE_NEW ? 0 : 1] + w->at;
}

static enum jump choose_jump(const struct coder *w, uint64_t source, uint64_t *number)
{
	bool same_side = ((source ^ w->source) & SOLIDPARSE_NEW) == 0;
	int64_t away = same_side ? (int64_t)(source - w->source) : 0;

	if (same_side && away > -64 && away < 64) {
		*number = fold(away);
		return JUMP_NEAR;
	}
	if (w->alike > 0 && source == (w->like | SOLIDPARSE_NEW))
		return JUMP_LIKE;
	for (unsigned k = 0; k < RECENT; k++) {
		if (w->recent[k] + w->at == source) {
			*number = k;
			return JUMP_RECENT;
		}
	}
	if (same_side && (!(source & SOLIDPARSE_NEW) || (away > -4096 && away < 4096))) {
		*number = fold(away);
		return JUMP_NEAR;
	}
	int64_t aside = (int64_t)(source - other_side(w));
	if (source & SOLIDPARSE_NEW && (same_side || aside < -4096 || aside > 4096)) {
		*number = w->at - (source & ~SOLIDPARSE_NEW);
		return JUMP_NEW;
	}
	*number = fold((int64_t)(source - other_side(w)));
	return JUMP_OTHER;
}

static uint64_t jump_target(const struct coder *w, enum jump kind, uint64_t number)
{
	switch (kind) {
	case JUMP_NEAR: return w->source + (uint64_t)unfold(number);
	case JUMP_RECENT: return number < RECENT ? w->recent[number] + w->at : UINT64_MAX;
	case JUMP_NEW: return (w->at - number) | SOLIDPARSE_NEW;
	case JUMP_OTHER: return other_side(w) + (uint64_t)unfold(number);
	case JUMP_LIKE: return w->alike > 0 ? w->like | SOLIDPARSE_NEW : UINT64_MAX;
	default: return UINT64_MAX;
	}
}

static bool can_jump(const struct coder *w, uint64_t source)
{
	if (!(source & SOLIDPARSE_NEW))
		return source < w->old_len;
	source &= ~SOLIDPARSE_NEW;
	return source < w->at && w->at - source >= SOLIDPARSE_APART && w->at - source <= w->reach;
}

static void remember(struct coder *w, uint64_t source)
{
	uint64_t away = source - w->at;
	unsigned k = 0;

	while (k < RECENT - 1 && w->recent[k] != away)
		k++;
	memmove(w->recent + 1, w->recent, k * sizeof *w->recent);
	w->recent[0] = away;
}

static int code_jump(struct coder *w, uint64_t source)
{
	uint64_t number = 0;
	enum jump kind = w->decodes ? JUMP_NEAR : choose_jump(w, source, &number);
	unsigned made = 0;
	unsigned mode = w->literal ? 1 + least(w->literals, 6) : 0;

	unsigned alike = agreement(w) + 3 * least(level(w->alike), 15);
	made = 1;
	for (unsigned k = 0; k < 3; k++) {
		uint64_t contexts[] = {
		    hash(70, mode, made), hash(71, w->source_word, made | low(w->ahead, 3) << 8),
		    hash(72, w->source & SOLIDPARSE_NEW ? 1 : 0, made | low(w->made, 1) << 8),
		    hash(73, alike, made), hash(74, low(w->made, 3), made)};
		unsigned sets[] = {SETS_JUMP + made, SETS_JUMP + 8 + mode};
		made = made << 1 | solidmix_bit(w->mix, contexts, 5, sets, SOLIDMIX_INPUTS,
						kind >> (2 - k) & 1);
	}
	kind = (enum jump)(made & 7);
	if (kind != JUMP_LIKE)
		number = code_number(w, kind, number);
	source = jump_target(w, kind, number);
	if (!can_jump(w, source))
		return err_set(w->e, ERR_MALFORMED, "the solid payload reaches out of the texts");
	w->aside[w->source & SOLIDPARSE_NEW ? 1 : 0] = w->source - w->at;
	remember(w, w->source);
	remember(w, source);
	set_source(w, source);
	w->literal = false;
	w->literals = 0;
	return 0;
}

static void note_hit(struct coder *w, bool hit)
{
	w->misses = w->misses << 1 | !hit;
	if (hit) {
		w->run++;
	} else {
		w->gap = w->run;
		w->run = 0;
	}
}

static int take_guess(struct coder *w)
{
	uint8_t c = (uint8_t)w->ahead;

	if (!has_guess(w))
		return err_set(w->e, ERR_MALFORMED,
			       "the solid payload reaches out of the old text");
	step_source(w);
	note_hit(w, true);
	return emit(w, c);
}

static int replace(struct coder *w, uint8_t c)
{
	uint8_t guess = (uint8_t)w->ahead;

	c = code_byte(w, c);
	w->difference = (uint8_t)(c - guess);
	step_source(w);
	note_hit(w, false);
	return emit(w, c);
}

static int add_literal(struct coder *w, uint8_t c)
{
	if (!w->literal)
		note_hit(w, false);
	w->literal = true;
	c = code_byte(w, c);
	w->literals++;
	return emit(w, c);
}

static enum operation operation_of(const struct solidparse_step *step)
{
	switch (step->source) {
	case SOLIDPARSE_LITERAL: return OP_LITERAL;
	case SOLIDPARSE_BULK: return OP_BULK;
	default: return OP_JUMP;
	}
}

/* Bytes that the model sees nothing of, but for the last of them. */
static int take_bulk(struct coder *w, uint64_t len)
{
	len = code_number(w, NUMBER_BULK, len);
	if (len == 0 || len > w->new_len - w->at)
		return err_set(w->e, ERR_MALFORMED, "the solid payload's bulk has the length %llu",
			       (unsigned long long)len);
	if (!w->literal)
		note_hit(w, false);
	w->literal = true;
	w->literals = len < BULK_LITERALS ? (uint32_t)len : BULK_LITERALS;
	w->alike = 0;
	while (len > 0) {
		uint8_t some[4096];
		size_t n = len < sizeof some ? (size_t)len : sizeof some;
		if (!w->decodes)
			memcpy(some, w->new + w->at, n);
		else if (solidbulk_read(w->bulk, some, n, w->e) != 0)
			return -1;
		for (size_t i = 0; i < n; i++, len--) {
			if (len > BULK_SEEN ? put_byte(w, some[i]) != 0 : emit(w, some[i]) != 0)
				return -1;
		}
	}
	return 0;
}

/* One byte, and what must be told before it. `step` is the next one. */
static int walk_byte(struct coder *w, const struct solidparse_step **step)
{
	/* A decoder has none. */
	bool here = *step != NULL && *step < w->end && (*step)->at == w->at;
	uint8_t c = w->decodes ? 0 : w->new[w->at];
	enum operation op = w->literal ? OP_LITERAL : OP_REPLACE;

	if (here)
		op = operation_of(*step);
	if (!w->literal && code_hit(w, !here && has_guess(w) && (uint8_t)w->ahead == c))
		return take_guess(w);
	op = code_op(w, op);
	uint64_t source = here ? (*step)->source : 0;
	if (here)
		++*step;
	uint64_t until = *step != NULL && *step < w->end ? (*step)->at : w->new_len;
	switch (op) {
	case OP_REPLACE:
		if (w->literal)
			return err_set(w->e, ERR_MALFORMED,
				       "the solid payload replaces a byte among literals");
		return replace(w, c);
	case OP_LITERAL: return add_literal(w, c);
	case OP_JUMP:
		if (code_jump(w, source) != 0)
			return -1;
		return take_guess(w);
	default: return take_bulk(w, until - w->at);
	}
}

static unsigned pattern_bits(uint64_t new_len)
{
	unsigned bits = PATTERN_MIN;

	while (bits < PATTERN_MAX && new_len >> bits > 0)
		bits++;
	return bits;
}

static int start(struct coder *w)
{
	unsigned bits = pattern_bits(w->new_len);

	w->mix = solidmix_new(w->new_len, w->e);
	w->patterns = calloc((size_t)1 << bits, sizeof *w->patterns);
	w->pattern_shift = 64 - bits;
	if (w->mix == NULL)
		return -1;
	if (w->patterns == NULL)
		return err_nomem(w->e);
	w->literal = true;
	set_source(w, 0);
	return 0;
}

int solidcode_encode(const struct solidparse_text *text, const struct solidparse_step *steps,
		     size_t count, struct buf *ret, struct err *e)
{
	struct coder w = {.old = text->old,
			  .old_len = text->old_len,
			  .old_have = text->old_len,
			  .new = text->new,
			  .new_len = text->new_len,
			  .reach = text->reach,
			  .end = count > 0 ? steps + count : NULL,
			  .mask = UINT64_MAX,
			  .e = e};
	const struct solidparse_step *step = steps;
	int result = -1;

	if (start(&w) != 0)
		goto out;
	rangecoder_write(solidmix_coder(w.mix), ret);
	while (w.at < w.new_len) {
		if (walk_byte(&w, &step) != 0)
			goto out;
	}
	rangecoder_finish(solidmix_coder(w.mix));
	result = buf_check(ret, e);
out:
	solidmix_free(w.mix);
	free(w.patterns);
	return result;
}

uint64_t solidcode_decode_memory(uint64_t new_len, uint64_t reach)
{
	return reach + WINDOW + solidmix_memory(new_len) +
	       (sizeof(uint32_t) << pattern_bits(new_len));
}

int solidcode_decode(const uint8_t *bytes, size_t len, struct solidbulk *bulk, uint64_t old_len,
		     uint64_t new_len, uint64_t reach, const struct solid_io *io, struct err *e)
{
	struct coder w = {.decodes = true,
			  .old_len = old_len,
			  .new_len = new_len,
			  .reach = reach,
			  .mask = reach - 1,
			  .io = io,
			  .bulk = bulk,
			  .e = e};
	const struct solidparse_step *none = NULL;
	int result = -1;

	w.window = malloc(WINDOW);
	w.ring = malloc((size_t)reach);
	w.old = w.window;
	w.new = w.ring;
	if (w.window == NULL || w.ring == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	if (start(&w) != 0)
		goto out;
	struct rangecoder *coder = solidmix_coder(w.mix);
	rangecoder_read(coder, bytes, len);
	while (w.at < w.new_len && !w.failed && !rangecoder_overrun(coder)) {
		if (walk_byte(&w, &none) != 0)
			goto out;
	}
	if (w.failed)
		goto out;
	if (!rangecoder_ended(coder)) {
		(void)err_set(e, ERR_MALFORMED,
			      "the solid payload does not end where the new text does");
		goto out;
	}
	result = flush(&w, w.at - w.at % CHUNK);
out:
	if (w.failed) {
		*e = w.trouble;
		result = -1;
	}
	solidmix_free(w.mix);
	free(w.patterns);
	free(w.window);
	free(w.ring);
	return result;
}
