#define PCRE2_CODE_UNIT_WIDTH 8
#include "swarm/patterns.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef SWARM_HYPERSCAN
#include <hs.h>
#endif
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

#include "swarm/grow.h"

/* What \b and look-behinds may see of the bytes in front. */
#define CONTEXT ((size_t)64)
#define OVERLAP PATTERNS_MATCH_MAX
#define SEAM    (CONTEXT + OVERLAP)
/* Blocks smaller than a seam are put together to this many bytes. */
#define GATHER (8 * SEAM)
/* Steps of one search: far more than an honest expression needs for 256 KiB. */
#define MATCH_LIMIT     10000000
#define JIT_STACK_START ((size_t)32 * 1024)
#define JIT_STACK_MAX   ((size_t)1024 * 1024)
#define ENGINE_MAX      32

struct pattern {
	pcre2_code *code;
	char *hint;          /* what Hyperscan looks for */
	uint32_t secret;     /* number of the group, 0 if there is none */
	bool looks_anywhere; /* nothing says where it can be */
};

struct patterns {
	struct pattern *list;
	size_t count, room;
	char engine[ENGINE_MAX];
#ifdef SWARM_HYPERSCAN
	hs_database_t *database; /* NULL: none */
	hs_scratch_t *scratch;   /* to be cloned */
	/* Compiling takes some 20 ms, which may pass while the tree is listed. */
	pthread_mutex_t lock;
	pthread_t compiler;
	bool pending; /* to be compiled, and not begun */
	bool compiling;
	struct err err; /* what came of it */
#endif
};

struct patterns_scanner {
	const struct patterns *patterns;
	struct patterns_visitor visitor;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack;
	bool *possible; /* for each pattern: in the window at hand */
	uint64_t *next; /* for each pattern: where in the file to go on */
#ifdef SWARM_HYPERSCAN
	hs_scratch_t *scratch;
#endif
	uint64_t size, seen;
	/*
	 * The end of what was seen: bytes in which a match can begin of which the end has not come,
	 * from held_from on, behind some that are only context.
	 */
	uint8_t *held;
	size_t held_len, held_from;
	/* Line ends counted up to this offset. */
	uint64_t counted, lines;
};

/* --- the set ----------------------------------------------------------------------------------
 */

struct patterns *patterns_new(struct err *e)
{
	struct patterns *p = calloc(1, sizeof *p);

	if (p == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
#ifdef SWARM_HYPERSCAN
	pthread_mutex_init(&p->lock, NULL);
#endif
	return p;
}

void patterns_free(struct patterns *p)
{
	if (p == NULL)
		return;
#ifdef SWARM_HYPERSCAN
	if (p->compiling)
		pthread_join(p->compiler, NULL);
	pthread_mutex_destroy(&p->lock);
#endif
	for (size_t i = 0; i < p->count; i++) {
		pcre2_code_free(p->list[i].code);
		free(p->list[i].hint);
	}
#ifdef SWARM_HYPERSCAN
	(void)hs_free_scratch(p->scratch);
	(void)hs_free_database(p->database);
#endif
	free(p->list);
	free(p);
}

/* A guard that refuses nothing at all refuses every file. */
static int check_empty(const struct pattern *pattern, struct err *e)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);

	if (data == NULL)
		return err_nomem(e);
	int found = pcre2_match(pattern->code, (PCRE2_SPTR) "", 0, 0, 0, data, NULL);
	pcre2_match_data_free(data);
	if (found < 0)
		return 0;
	return err_set(e, ERR_CONFIG, "it matches the empty text, and so everything");
}

/* What the JIT makes reads whole blocks of 16 bytes, the one that holds the end too: no harm, but
 * an error to valgrind. */
static bool is_watched(void)
{
#ifdef RUNNING_ON_VALGRIND
	return RUNNING_ON_VALGRIND;
#else
	return false;
#endif
}

static int compile(struct pattern *pattern, const char *regex, struct err *e)
{
	const uint32_t options =
	    PCRE2_MULTILINE | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
	int code = 0;
	PCRE2_SIZE at = 0;
	PCRE2_UCHAR why[256];
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);

	if (context == NULL)
		return err_nomem(e);
	/* As Hyperscan has it, whatever this PCRE2 was built for. */
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pattern->code =
	    pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, options, &code, &at, context);
	pcre2_compile_context_free(context);
	if (pattern->code == NULL) {
		if (pcre2_get_error_message(code, why, sizeof why) < 0)
			why[0] = '\0';
		return err_set(e, ERR_CONFIG, "at character %zu: %s", at + 1, (const char *)why);
	}
	int group = pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR) "secret");
	if (group > 0)
		pattern->secret = (uint32_t)group;
	uint32_t behind = 0;
	if (pcre2_pattern_info(pattern->code, PCRE2_INFO_MAXLOOKBEHIND, &behind) != 0 ||
	    behind > CONTEXT)
		return err_set(e, ERR_CONFIG, "it looks behind by more than %zu bytes", CONTEXT);
	/* Where there is no JIT, the expression is interpreted. */
	if (!is_watched())
		(void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	return check_empty(pattern, e);
}

int patterns_add(struct patterns *p, const char *regex, const char *hint, struct err *e)
{
	struct pattern pattern = {.looks_anywhere = true};

	struct pattern *more = grow_for_one(p->list, p->count, &p->room, sizeof *more, e);
	if (more == NULL)
		return -1;
	p->list = more;
	int status = compile(&pattern, regex, e);
	pattern.hint = strdup(hint != NULL ? hint : regex);
	more[p->count++] = pattern;
	if (status == 0 && pattern.hint == NULL)
		return err_nomem(e);
	return status;
}

#ifdef SWARM_HYPERSCAN
/*
 * Compiles what it can read. VECTORED, since for HS_MODE_BLOCK it would also make an automaton for
 * texts of less than 70 bytes, which takes three times as long as all the rest. SINGLEMATCH, since
 * one match in a window is enough to look closer; PREFILTER: where it does not know a construct it
 * finds too much rather than too little.
 */
static int compile_database(struct patterns *p, struct err *e)
{
	const char **regexes = calloc(p->count, sizeof *regexes);
	unsigned *flags = calloc(p->count, sizeof *flags), *ids = calloc(p->count, sizeof *ids);
	hs_compile_error_t *error = NULL;
	int status = -1;

	if (regexes == NULL || flags == NULL || ids == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	for (bool again = true; again;) {
		unsigned n = 0;
		again = false;
		for (size_t i = 0; i < p->count; i++) {
			if (!p->list[i].looks_anywhere)
				continue;
			regexes[n] = p->list[i].hint;
			flags[n] = HS_FLAG_PREFILTER | HS_FLAG_MULTILINE | HS_FLAG_SINGLEMATCH;
			ids[n++] = (unsigned)i;
		}
		if (n > 0 && hs_compile_multi(regexes, flags, ids, n, HS_MODE_VECTORED, NULL,
					      &p->database, &error) != HS_SUCCESS) {
			int bad = error->expression;
			hs_free_compile_error(error);
			/* Too much for it: what it cannot do is left to PCRE2. */
			for (unsigned i = 0; bad < 0 && i < n; i++)
				p->list[ids[i]].looks_anywhere = false;
			if (bad >= 0)
				p->list[ids[bad]].looks_anywhere = false;
			again = bad >= 0;
		}
	}
	status = 0;
out:
	free(regexes);
	free(flags);
	free(ids);
	return status;
}

static void *run_compiler(void *context)
{
	struct patterns *p = context;

	if (compile_database(p, &p->err) != 0)
		return NULL;
	/* From "left to Hyperscan" to "left to PCRE2". */
	for (size_t i = 0; i < p->count; i++)
		p->list[i].looks_anywhere = !p->list[i].looks_anywhere;
	if (p->database != NULL && hs_alloc_scratch(p->database, &p->scratch) != HS_SUCCESS)
		(void)err_nomem(&p->err);
	return NULL;
}

/* Compiles it, or waits for who does. Any number of threads may. */
static int wait_compiled(struct patterns *p, struct err *e)
{
	pthread_mutex_lock(&p->lock);
	if (p->pending)
		(void)run_compiler(p);
	if (p->compiling)
		pthread_join(p->compiler, NULL);
	p->pending = p->compiling = false;
	pthread_mutex_unlock(&p->lock);
	if (p->err.code == ERR_NONE)
		return 0;
	*e = p->err;
	return -1;
}
#endif

void patterns_start(struct patterns *p)
{
#ifdef SWARM_HYPERSCAN
	pthread_mutex_lock(&p->lock);
	if (p->pending)
		p->compiling = pthread_create(&p->compiler, NULL, run_compiler, p) == 0;
	p->pending = p->pending && !p->compiling;
	pthread_mutex_unlock(&p->lock);
#else
	(void)p;
#endif
}

void patterns_compile(struct patterns *p, enum patterns_engine engine)
{
	char version[ENGINE_MAX] = "";

#ifdef SWARM_HYPERSCAN
	if (engine == PATTERNS_FASTEST && p->count > 0 && hs_valid_platform() == HS_SUCCESS) {
		(void)snprintf(p->engine, sizeof p->engine, "Hyperscan %.*s",
			       (int)strcspn(hs_version(), " "), hs_version());
		p->pending = true;
		return;
	}
#endif
	(void)engine;
	if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) < ENGINE_MAX)
		(void)pcre2_config(PCRE2_CONFIG_VERSION, version);
	(void)snprintf(p->engine, sizeof p->engine, "PCRE2 %.*s", (int)strcspn(version, " "),
		       version);
}

const char *patterns_engine_name(const struct patterns *p)
{
	return p->engine;
}

/* --- looking ----------------------------------------------------------------------------------
 */

struct patterns_scanner *patterns_scanner_new(struct patterns *p,
					      const struct patterns_visitor *visitor, struct err *e)
{
	struct patterns_scanner *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
#ifdef SWARM_HYPERSCAN
	if (wait_compiled(p, e) != 0) {
		free(s);
		return NULL;
	}
#endif
	s->patterns = p;
	s->visitor = *visitor;
	s->data = pcre2_match_data_create(32, NULL);
	s->limits = pcre2_match_context_create(NULL);
	s->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
	s->possible = calloc(p->count + 1, sizeof *s->possible);
	s->next = calloc(p->count + 1, sizeof *s->next);
	s->held = malloc(GATHER + SEAM);
	bool ok = s->data != NULL && s->limits != NULL && s->possible != NULL && s->next != NULL &&
		  s->held != NULL;
#ifdef SWARM_HYPERSCAN
	ok = ok && (p->database == NULL || hs_clone_scratch(p->scratch, &s->scratch) == HS_SUCCESS);
#endif
	if (!ok) {
		(void)err_nomem(e);
		patterns_scanner_free(s);
		return NULL;
	}
	(void)pcre2_set_match_limit(s->limits, MATCH_LIMIT);
	/* Without a JIT there is none, nor any need of it. */
	if (s->stack != NULL)
		pcre2_jit_stack_assign(s->limits, NULL, s->stack);
	return s;
}

void patterns_scanner_free(struct patterns_scanner *s)
{
	if (s == NULL)
		return;
#ifdef SWARM_HYPERSCAN
	(void)hs_free_scratch(s->scratch);
#endif
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->limits);
	pcre2_jit_stack_free(s->stack);
	free(s->possible);
	free(s->next);
	free(s->held);
	free(s);
}

/* A stretch of a file. Matches count that begin in [from, to). */
struct window {
	const uint8_t *bytes;
	size_t len, from, to;
	uint64_t offset; /* of bytes[0] */
	bool is_last;    /* nothing comes behind it */
};

#define LANES 32

/*
 * All of a large file goes through here, so that a hit can name its line. The inner loop is of a
 * kind that compilers turn into vector instructions: seven times as fast as memchr() where lines
 * are short.
 */
static uint64_t count_line_ends(const uint8_t *bytes, size_t len)
{
	uint64_t n = 0;
	size_t at = 0;

	while (len - at >= LANES) {
		uint8_t lanes[LANES] = {0};
		/* A lane holds up to 255. */
		for (size_t rows = 0; rows < UINT8_MAX && len - at >= LANES; rows++, at += LANES)
			for (size_t i = 0; i < LANES; i++)
				lanes[i] = (uint8_t)(lanes[i] + (bytes[at + i] == '\n'));
		for (size_t i = 0; i < LANES; i++)
			n += lanes[i];
	}
	for (; at < len; at++)
		n += bytes[at] == '\n';
	return n;
}

/* Counts on to bytes[at]. */
static void count_to(struct patterns_scanner *s, const struct window *w, size_t at)
{
	if (w->offset + at <= s->counted)
		return;
	size_t from = (size_t)(s->counted - w->offset);
	s->lines += count_line_ends(w->bytes + from, at - from);
	s->counted = w->offset + at;
}

static uint64_t line_of(struct patterns_scanner *s, const struct window *w, size_t at)
{
	uint64_t here = w->offset + at;

	if (here >= s->counted) {
		count_to(s, w, at);
		return s->lines + 1;
	}
	return s->lines - count_line_ends(w->bytes + at, (size_t)(s->counted - here)) + 1;
}

static int report(struct patterns_scanner *s, size_t i, const struct window *w, struct err *e)
{
	const PCRE2_SIZE *found = pcre2_get_ovector_pointer(s->data);
	size_t group = s->patterns->list[i].secret;
	struct patterns_match match = {.pattern = i,
				       .offset = w->offset + found[0],
				       .line = line_of(s, w, found[0]),
				       .text = w->bytes + found[0],
				       .len = found[1] > found[0] ? found[1] - found[0] : 0};

	if (group >= pcre2_get_ovector_count(s->data) || found[2 * group] == PCRE2_UNSET)
		group = 0;
	match.secret = w->bytes + found[2 * group];
	match.secret_len = found[2 * group + 1] - found[2 * group];
	return s->visitor.found(s->visitor.context, &match, e);
}

static int gave_up(const struct patterns_scanner *s, size_t i, int code, struct err *e)
{
	const struct patterns_visitor *v = &s->visitor;
	const char *name = v->name != NULL ? v->name(v->context, i) : "a pattern";
	PCRE2_UCHAR why[256];

	if (code == PCRE2_ERROR_MATCHLIMIT)
		return err_set(e, ERR_CONFIG, "the regex of '%s' takes too long on this content",
			       name);
	if (pcre2_get_error_message(code, why, sizeof why) < 0)
		why[0] = '\0';
	return err_set(e, ERR_CONFIG, "the regex of '%s' fails on this content: %s", name,
		       (const char *)why);
}

/* All matches of one pattern. */
static int search(struct patterns_scanner *s, size_t i, const struct window *w, struct err *e)
{
	const pcre2_code *code = s->patterns->list[i].code;
	uint32_t options = (w->offset > 0 ? PCRE2_NOTBOL : 0U) | (w->is_last ? 0U : PCRE2_NOTEOL);

	size_t at = w->from;

	if (s->next[i] > w->offset + at)
		at = (size_t)(s->next[i] - w->offset);
	while (at < w->to) {
		int found = pcre2_match(code, w->bytes, w->len, at, options, s->data, s->limits);
		const PCRE2_SIZE *where = pcre2_get_ovector_pointer(s->data);
		if (found == PCRE2_ERROR_NOMATCH)
			return 0;
		if (found < 0)
			return gave_up(s, i, found, e);
		/* \K moves where[0] only. */
		if (pcre2_get_startchar(s->data) >= w->to)
			return 0;
		if (report(s, i, w, e) != 0)
			return -1;
		at = where[1] > where[0] ? where[1] : where[1] + 1;
		s->next[i] = w->offset + at;
	}
	return 0;
}

#ifdef SWARM_HYPERSCAN
static int mark_possible(unsigned id, unsigned long long from, unsigned long long to,
			 unsigned flags, void *context)
{
	bool *possible = context;

	(void)from;
	(void)to;
	(void)flags;
	possible[id] = true;
	return 0;
}
#endif

static int look(struct patterns_scanner *s, const struct window *w, struct err *e)
{
	const struct patterns *p = s->patterns;

	for (size_t i = 0; i < p->count; i++)
		s->possible[i] = p->list[i].looks_anywhere;
#ifdef SWARM_HYPERSCAN
	const char *bytes = (const char *)w->bytes;
	unsigned len = (unsigned)w->len;
	if (p->database != NULL && hs_scan_vector(p->database, &bytes, &len, 1, 0, s->scratch,
						  mark_possible, s->possible) != HS_SUCCESS)
		return err_set(e, ERR_SYSTEM, "Hyperscan failed");
#endif
	for (size_t i = 0; i < p->count; i++)
		if (s->possible[i] && s->visitor.wants(s->visitor.context, i) &&
		    search(s, i, w, e) != 0)
			return -1;
	return 0;
}

void patterns_begin(struct patterns_scanner *s, uint64_t size)
{
	s->size = size;
	s->seen = 0;
	s->held_len = 0;
	s->held_from = 0;
	s->counted = 0;
	s->lines = 0;
	memset(s->next, 0, s->patterns->count * sizeof *s->next);
}

/* Keeps for the next window what a match can begin in, and its context. */
static void hold(struct patterns_scanner *s, const struct window *w)
{
	size_t start = w->to - CONTEXT;

	count_to(s, w, start);
	s->held_len = w->len - start;
	s->held_from = CONTEXT;
	memmove(s->held, w->bytes + start, s->held_len);
}

/* Looks through the held bytes, of which those from `to` on are left for later. */
static int look_held(struct patterns_scanner *s, uint64_t end, size_t to, bool is_last,
		     struct err *e)
{
	struct window w = {.bytes = s->held,
			   .len = s->held_len,
			   .from = s->held_from,
			   .to = to,
			   .offset = end - s->held_len,
			   .is_last = is_last};

	return look(s, &w, e);
}

/* A block shorter than a seam. */
static int gather(struct patterns_scanner *s, const uint8_t *bytes, size_t len, struct err *e)
{
	memcpy(s->held + s->held_len, bytes, len);
	s->held_len += len;
	s->seen += len;
	if (s->held_len < GATHER)
		return 0;
	struct window w = {.bytes = s->held,
			   .len = s->held_len,
			   .from = s->held_from,
			   .to = s->held_len - OVERLAP,
			   .offset = s->seen - s->held_len};
	if (look(s, &w, e) != 0)
		return -1;
	hold(s, &w);
	return 0;
}

int patterns_see(struct patterns_scanner *s, const void *bytes, size_t len, struct err *e)
{
	struct window w = {.bytes = bytes, .len = len, .offset = s->seen};

	if (s->seen > 0 && s->seen >= s->size && len > 0)
		return err_set(e, ERR_CHANGED, "there is more of it than there was to come");
	w.is_last = s->seen + len >= s->size;
	if (len < SEAM && !(s->seen == 0 && w.is_last))
		return gather(s, bytes, len, e);
	/* The bytes where it meets what came before, from both sides. */
	if (s->held_len > 0) {
		size_t before = s->held_len;
		memcpy(s->held + before, bytes, SEAM);
		s->held_len += SEAM;
		if (look_held(s, s->seen + SEAM, before + CONTEXT, false, e) != 0)
			return -1;
		count_to(s, &(struct window){.bytes = s->held, .offset = s->seen - before}, before);
		w.from = CONTEXT;
	}
	w.to = w.is_last ? len : len - OVERLAP;
	s->held_len = 0;
	s->seen += len;
	if (look(s, &w, e) != 0)
		return -1;
	if (!w.is_last)
		hold(s, &w);
	return 0;
}

int patterns_end(struct patterns_scanner *s, struct err *e)
{
	int status = 0;

	if (s->held_len > 0)
		status = look_held(s, s->seen, s->held_len, true, e);
	s->held_len = 0;
	return status;
}
