#include "swarm/solidmix.h"

#include <stdlib.h>
#include <string.h>

/*
 * The logistic domain: x stands for the odds e^(x / 256). Beyond the limit a probability of 16 bits
 * knows no difference.
 */
#define LIMIT 3071

#define TABLE_MIN 12
#define SLOTS_MAX 22 /* contexts of single bits */
#define LINES_MAX 20 /* contexts of half bytes: 15 counters each */
#define LINE      16

#define COUNT_BITS  10
#define COUNT_MASK  ((1U << COUNT_BITS) - 1)
#define SLOT_COUNTS 250 /* how slowly a counter gets to learn */
#define LINE_COUNTS 60

#define WEIGHT_ONE 65536

struct slot {
	uint32_t counter; /* a probability of 22 bits and a count of 10 */
	uint32_t check;   /* 0: not used yet */
};

struct solidmix {
	struct rangecoder coder;
	int16_t stretch[65536];
	uint16_t squash[2 * LIMIT + 1];
	uint32_t share[COUNT_MASK + 1]; /* how much of an error a counter takes on */
	unsigned slot_bits, line_bits;
	struct slot *slots;
	uint32_t (*lines)[LINE]; /* the first of them is the check */
	int32_t (*weights)[SOLIDMIX_INPUTS];
	/* of the bit at hand */
	int32_t input[SOLIDMIX_INPUTS];
	unsigned inputs;
	int32_t *set[SOLIDMIX_SETS];
	int32_t sum[SOLIDMIX_SETS];
};

/* e^(-1/256), of 2^62. */
#define STEP UINT64_C(4593706758521714574)

/* The upper half of a product of two numbers below 2^62, each a fraction of 2^62. */
static uint64_t fraction(uint64_t a, uint64_t b)
{
	uint64_t a1 = a >> 31, a0 = a & 0x7fffffff;
	uint64_t b1 = b >> 31, b0 = b & 0x7fffffff;

	return a1 * b1 + ((a1 * b0 + a0 * b1 + (a0 * b0 >> 31)) >> 31);
}

/* 65536 / (1 + odds^-1) and its inverse, both without floating point. */
static void make_tables(struct solidmix *m)
{
	uint64_t power = UINT64_C(1) << 62;
	unsigned p = 0;

	for (int x = 0; x <= LIMIT; x++) {
		uint64_t y = power >> 30; /* e^(-x/256), of 2^32 */
		uint64_t up = (UINT64_C(1) << 48) / ((UINT64_C(1) << 32) + y);
		if (up > 65535)
			up = 65535;
		m->squash[LIMIT + x] = (uint16_t)up;
		m->squash[LIMIT - x] = (uint16_t)(65536 - up);
		power = fraction(power, STEP);
	}
	for (int x = -LIMIT; x <= LIMIT; x++) {
		for (; p <= m->squash[LIMIT + x]; p++)
			m->stretch[p] = (int16_t)x;
	}
	for (; p < 65536; p++)
		m->stretch[p] = LIMIT;
	for (unsigned n = 0; n <= COUNT_MASK; n++)
		m->share[n] = 65536 * 2 / (2 * n + 3);
}

static unsigned table_bits(uint64_t new_len, unsigned max)
{
	unsigned bits = TABLE_MIN;

	while (bits < max && new_len >> bits > 0)
		bits++;
	return bits;
}

struct solidmix *solidmix_new(uint64_t new_len, struct err *e)
{
	struct solidmix *m = calloc(1, sizeof *m);

	if (m == NULL)
		goto fail;
	m->slot_bits = table_bits(new_len, SLOTS_MAX);
	m->line_bits = table_bits(new_len, LINES_MAX);
	m->slots = calloc((size_t)1 << m->slot_bits, sizeof *m->slots);
	m->lines = calloc((size_t)1 << m->line_bits, sizeof *m->lines);
	m->weights = calloc(SOLIDMIX_WEIGHTS, sizeof *m->weights);
	if (m->slots == NULL || m->lines == NULL || m->weights == NULL)
		goto fail;
	make_tables(m);
	for (size_t i = 0; i < SOLIDMIX_WEIGHTS; i++) {
		for (size_t k = 0; k < SOLIDMIX_INPUTS; k++)
			m->weights[i][k] = WEIGHT_ONE * 3 / 10;
	}
	return m;
fail:
	solidmix_free(m);
	(void)err_nomem(e);
	return NULL;
}

void solidmix_free(struct solidmix *m)
{
	if (m == NULL)
		return;
	free(m->slots);
	free(m->lines);
	free(m->weights);
	free(m);
}

uint64_t solidmix_memory(uint64_t new_len)
{
	return sizeof(struct solidmix) + (sizeof(struct slot) << table_bits(new_len, SLOTS_MAX)) +
	       (sizeof(uint32_t[LINE]) << table_bits(new_len, LINES_MAX)) +
	       sizeof(int32_t[SOLIDMIX_INPUTS]) * SOLIDMIX_WEIGHTS;
}

struct rangecoder *solidmix_coder(struct solidmix *m)
{
	return &m->coder;
}

static int32_t clamp(int64_t x, int32_t limit)
{
	return (int32_t)(x < -limit ? -limit : x > limit ? limit : x);
}

/* The probability that all inputs together give, in 16 bits. */
static uint32_t mix(struct solidmix *m, const unsigned *sets)
{
	int64_t all = 0;

	for (unsigned s = 0; s < SOLIDMIX_SETS; s++) {
		int32_t *w = m->weights[sets[s]];
		int64_t sum = 0;
		for (unsigned i = 0; i < m->inputs; i++)
			sum += (int64_t)w[i] * m->input[i];
		m->set[s] = w;
		m->sum[s] = clamp(sum / WEIGHT_ONE, LIMIT);
		all += m->sum[s];
	}
	return m->squash[LIMIT + all / SOLIDMIX_SETS];
}

/* Each set of weights learns from its own error. */
static void learn(struct solidmix *m, unsigned bit)
{
	for (unsigned s = 0; s < SOLIDMIX_SETS; s++) {
		int64_t error = (int64_t)(bit << 16) - m->squash[LIMIT + m->sum[s]];
		for (unsigned i = 0; i < m->inputs; i++) {
			int64_t w = m->set[s][i] + (m->input[i] * error * 6) / (1 << 20);
			m->set[s][i] = clamp(w, 16 * WEIGHT_ONE);
		}
	}
}

static int32_t opinion(const struct solidmix *m, uint32_t counter)
{
	return m->stretch[counter >> 16];
}

static void count(const struct solidmix *m, uint32_t *counter, unsigned bit, unsigned limit)
{
	uint32_t n = *counter & COUNT_MASK;
	int64_t p = *counter >> COUNT_BITS;

	p += (((int64_t)bit << 22) - (int64_t)bit - p) * m->share[n] / 65536;
	*counter = (uint32_t)p << COUNT_BITS | (n < limit ? n + 1 : n);
}

static uint64_t scatter(uint64_t context)
{
	context *= UINT64_C(0x9e3779b97f4a7c15);
	context ^= context >> 29;
	return context * UINT64_C(0xbf58476d1ce4e5b9);
}

unsigned solidmix_bit(struct solidmix *m, const uint64_t *contexts, unsigned n,
		      const unsigned *sets, unsigned common, unsigned bit)
{
	struct slot *slots[SOLIDMIX_INPUTS];
	uint32_t checks[SOLIDMIX_INPUTS];

	m->inputs = n;
	for (unsigned i = 0; i < n; i++) {
		uint64_t h = scatter(contexts[i]);
		slots[i] = &m->slots[h >> (64 - m->slot_bits)];
		checks[i] = (uint32_t)h | 1;
		m->input[i] = slots[i]->check == checks[i] ? opinion(m, slots[i]->counter) : 0;
	}
	uint32_t p = mix(m, sets);
	bit = rangecoder_bit(&m->coder, bit, p);
	learn(m, bit);
	for (unsigned i = 0; i < n; i++) {
		if (slots[i]->check != checks[i]) {
			if (i >= common && !bit)
				continue;
			/* A new context starts from what was expected without it. */
			*slots[i] = (struct slot){p << 16, checks[i]};
		}
		count(m, &slots[i]->counter, bit, SLOT_COUNTS);
	}
	return bit;
}

static uint32_t *find_line(struct solidmix *m, uint64_t context)
{
	uint64_t h = scatter(context);
	uint32_t *line = m->lines[h >> (64 - m->line_bits)];

	if (line[0] != ((uint32_t)h | 1)) {
		for (unsigned i = 1; i < LINE; i++)
			line[i] = UINT32_C(1) << 31;
		line[0] = (uint32_t)h | 1;
	}
	return line;
}

unsigned solidmix_byte(struct solidmix *m, const uint64_t *contexts, unsigned n,
		       const unsigned *sets, unsigned byte)
{
	uint32_t *lines[SOLIDMIX_INPUTS];
	unsigned made = 1;

	m->inputs = n;
	for (unsigned k = 0; k < 8; k++) {
		if (k % 4 == 0) {
			for (unsigned i = 0; i < n; i++)
				lines[i] = find_line(m, contexts[i] + (k ? made * 0x10001U : 0));
		}
		unsigned node = k < 4 ? made : (1U << (k - 4)) | (made & ((1U << (k - 4)) - 1));
		for (unsigned i = 0; i < n; i++)
			m->input[i] =
			    (lines[i][node] & COUNT_MASK) != 0 ? opinion(m, lines[i][node]) : 0;
		unsigned now[SOLIDMIX_SETS];
		for (unsigned s = 0; s < SOLIDMIX_SETS; s++)
			now[s] = sets[s] + made;
		uint32_t p = mix(m, now);
		unsigned bit = rangecoder_bit(&m->coder, byte >> (7 - k) & 1, p);
		learn(m, bit);
		for (unsigned i = 0; i < n; i++)
			count(m, &lines[i][node], bit, LINE_COUNTS);
		made = made << 1 | bit;
	}
	return made & 0xff;
}

/* How many bits `number` + 1 takes, then those behind the first. */
uint64_t solidmix_number(struct solidmix *m, const uint64_t *contexts, unsigned n, unsigned set,
			 uint64_t number)
{
	uint64_t here[SOLIDMIX_INPUTS];
	uint64_t made = 1;
	unsigned width = 0;

	while (number + 1 >= UINT64_C(2) << width)
		width++;
	unsigned node = 1;
	for (unsigned k = 0; k < 6; k++) {
		for (unsigned i = 0; i < n; i++)
			here[i] = contexts[i] + node;
		unsigned sets[SOLIDMIX_SETS] = {set + node, set};
		node = node << 1 |
		       solidmix_bit(m, here, n, sets, SOLIDMIX_INPUTS, width >> (5 - k) & 1);
	}
	width = node & 63;
	for (unsigned k = width; k-- > 0;) {
		/* Far below the first bit nothing can be known but the chance. */
		unsigned deep = width - k > 12 || k < (width > 20 ? 12U : 0) ? 1 : n;
		uint64_t seen = deep > 1 ? made : k;
		for (unsigned i = 0; i < deep; i++)
			here[i] = contexts[i] + ((uint64_t)(width + 1) << 40 | seen << 8);
		unsigned sets[SOLIDMIX_SETS] = {set + 64 + width, set + 64};
		made = made << 1 | solidmix_bit(m, here, deep, sets, SOLIDMIX_INPUTS,
						(unsigned)((number + 1) >> k & 1));
	}
	return made - 1;
}
