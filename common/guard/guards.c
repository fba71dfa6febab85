#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/guards.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/builtin.h"
#include "swarm/fold.h"
#include "swarm/glob.h"
#include "swarm/patterns.h"

/* A guard of one id, which may have several ways to find something. */
struct guard {
	struct guards_guard shown; /* first: hits point to it */
	bool is_disabled;
	bool only_public;
	const struct selection **allow; /* by several entries of the rules */
	size_t allow_count;
};

/* A list of globs of the built-in table. */
struct globs {
	struct glob **list;
	size_t count;
};

/* By enum guards_format. */
static const char *const format_ids[GUARDS_FORMATS] = {"photo-position", "debug-information",
						       "core-dump", "html-asset"};

struct guards {
	struct guard *list;
	size_t count;
	struct patterns *patterns;
	struct guards_way *ways; /* by number of the pattern */
	size_t way_count;
	struct globs *names;            /* by number of the guard: of paths that it refuses */
	size_t formats[GUARDS_FORMATS]; /* numbers of guards */
	struct sha256 *sha;             /* while it is built */
	uint8_t digest[SHA256_SIZE];
};

/* --- building -----------------------------------------------------------------------------------
 */

static void release_globs(struct globs *g)
{
	for (size_t i = 0; i < g->count; i++)
		glob_free(g->list[i]);
	free(g->list);
}

/* Of the folded pattern, for names that are folded too. */
static struct glob *make_glob(const char *pattern, struct err *e)
{
	struct buf text = BUF_INIT;
	struct glob *glob = NULL;

	if (fold_text(&text, pattern, e) == 0)
		glob = glob_new(text.data, e);
	buf_release(&text);
	return glob;
}

static int make_globs(struct globs *ret, const char *const *patterns, struct err *e)
{
	size_t n = 0;

	while (patterns != NULL && patterns[n] != NULL)
		n++;
	if (n == 0)
		return 0;
	ret->list = calloc(n, sizeof(struct glob *));
	if (ret->list == NULL)
		return err_nomem(e);
	for (; ret->count < n; ret->count++)
		if ((ret->list[ret->count] = make_glob(patterns[ret->count], e)) == NULL)
			return -1;
	return 0;
}

static size_t find(const struct guards *g, const char *id)
{
	size_t i = 0;

	while (i < g->count && strcmp(g->list[i].shown.id, id) != 0)
		i++;
	return i;
}

static int reject_id(const struct guards *g, const char *id, struct marked_place at, struct err *e)
{
	const char **ids = calloc(g->count + 1, sizeof *ids);

	if (ids == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < g->count; i++)
		ids[i] = g->list[i].shown.id;
	(void)marked_reject_unknown(e, at, "guard", id, ids);
	free(ids);
	return -1;
}

/* With its end, so that no two lists of texts are alike. */
static void note_text(struct guards *g, const char *text)
{
	sha256_update(g->sha, text, strlen(text) + 1);
}

static int add_way(struct guards *g, const struct guards_way *way, const char *regex,
		   const char *hint, struct err *e)
{
	struct guards_way *more = reallocarray(g->ways, g->way_count + 1, sizeof *more);

	if (more == NULL)
		return err_nomem(e);
	g->ways = more;
	more[g->way_count++] = *way;
	note_text(g, g->list[way->guard].shown.id);
	note_text(g, regex);
	sha256_update(g->sha, &way->entropy, sizeof way->entropy);
	for (size_t i = 0; i < way->keyword_count; i++)
		note_text(g, way->keywords[i]);
	note_text(g, "");
	return patterns_add(g->patterns, regex, hint, e);
}

static int add_builtin(struct guards *g, const struct builtin *b, struct err *e)
{
	size_t i = find(g, b->id);

	if (i == g->count)
		g->list[g->count++] = (struct guard){
		    .shown = {.id = b->id, .description = b->description},
		    .only_public = b->only_public,
		};
	return b->kind == BUILTIN_NAMES ? make_globs(&g->names[i], b->names, e) : 0;
}

/* Patterns of disabled guards would only cost time. */
static int add_builtin_way(struct guards *g, const struct builtin *b, struct err *e)
{
	const struct guards_way way = {.guard = find(g, b->id), .entropy = b->entropy};

	if (b->kind != BUILTIN_REGEX || g->list[way.guard].is_disabled)
		return 0;
	return add_way(g, &way, b->regex, b->hint, e);
}

static int allow_more(struct guard *guard, const struct selection *allow, struct err *e)
{
	if (allow->count == 0)
		return 0;
	const struct selection **more =
	    reallocarray(guard->allow, guard->allow_count + 1, sizeof *more);
	if (more == NULL)
		return err_nomem(e);
	guard->allow = more;
	more[guard->allow_count++] = allow;
	return 0;
}

static int add_own(struct guards *g, const struct guardlist_guard *own, struct err *e)
{
	size_t i = find(g, own->id);

	if (own->regex == NULL)
		return i < g->count ? allow_more(&g->list[i], &own->allow, e)
				    : reject_id(g, own->id, own->place, e);
	if (i < g->count) {
		const struct marked_place *other = &g->list[i].shown.place;
		if (other->file != NULL)
			(void)err_set(e, ERR_CONFIG, "the guard '%s' stands at %s:%u:%u already",
				      own->id, other->file, other->line, other->column);
		else
			(void)err_set(e, ERR_CONFIG, "'%s' is a built-in guard: choose another id",
				      own->id);
		return marked_prefix(e, own->place);
	}
	const char *description =
	    own->description != NULL ? own->description : "matches a guard of the rules";
	g->list[g->count++] = (struct guard){
	    .shown = {.id = own->id, .description = description, .place = own->place}};
	const struct guards_way way = {
	    .guard = i, .keywords = own->keywords, .keyword_count = own->keyword_count};
	if (add_way(g, &way, own->regex, NULL, e) == 0)
		return allow_more(&g->list[i], &own->allow, e);
	if (e->code == ERR_CONFIG) {
		(void)err_prefix(e, "regex of '%s'", own->id);
		(void)marked_prefix(e, own->regex_place);
	}
	return -1;
}

static int disable(struct guards *g, const struct guardlist_disabled *disabled, struct err *e)
{
	bool all = strcmp(disabled->id, "*") == 0;
	size_t i = all ? 0 : find(g, disabled->id);

	if (!all && i < g->count && g->list[i].shown.place.file != NULL) {
		(void)err_set(e, ERR_CONFIG, "'%s' is no built-in guard: remove it from guards",
			      disabled->id);
		return marked_prefix(e, disabled->place);
	}
	if (!all && i == g->count)
		return reject_id(g, disabled->id, disabled->place, e);
	do {
		if (g->list[i].shown.place.file == NULL)
			g->list[i].is_disabled = true;
	} while (all && ++i < g->count);
	return 0;
}

static int build(struct guards *g, const struct guardlist *list, struct err *e)
{
	const char *engine = getenv("SWARM_GUARD_ENGINE");
	bool slow = engine != NULL && strcmp(engine, "pcre2") == 0;

	if (engine != NULL && *engine != '\0' && !slow)
		return err_set(e, ERR_USAGE, "SWARM_GUARD_ENGINE can only be pcre2, not '%.100s'",
			       engine);
	for (const struct builtin *b = builtin_guards; b->id != NULL; b++)
		if (add_builtin(g, b, e) != 0)
			return -1;
	for (size_t i = 0; i < list->count; i++)
		if (add_own(g, &list->guards[i], e) != 0)
			return -1;
	for (size_t i = 0; i < list->disabled_count; i++)
		if (disable(g, &list->disabled[i], e) != 0)
			return -1;
	for (const struct builtin *b = builtin_guards; b->id != NULL; b++)
		if (add_builtin_way(g, b, e) != 0)
			return -1;
	for (size_t i = 0; i < GUARDS_FORMATS; i++)
		g->formats[i] = find(g, format_ids[i]);
	patterns_compile(g->patterns, slow ? PATTERNS_PCRE2 : PATTERNS_FASTEST);
	return 0;
}

struct guards *guards_new(const struct guardlist *list, struct err *e)
{
	struct guards *g = calloc(1, sizeof *g);
	size_t most = list->count;

	for (const struct builtin *b = builtin_guards; b->id != NULL; b++)
		most++;
	if (g != NULL) {
		g->list = calloc(most, sizeof *g->list);
		g->names = calloc(most, sizeof *g->names);
	}
	if (g == NULL || g->list == NULL || g->names == NULL) {
		(void)err_nomem(e);
		guards_free(g);
		return NULL;
	}
	g->patterns = patterns_new(e);
	g->sha = sha256_new(e);
	if (g->patterns == NULL || g->sha == NULL || build(g, list, e) != 0)
		goto fail;
	sha256_final(g->sha, g->digest);
	if (sha256_check(g->sha, e) != 0)
		goto fail;
	return g;
fail:
	guards_free(g);
	return NULL;
}

void guards_free(struct guards *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++) {
		free(g->list[i].allow);
		release_globs(&g->names[i]);
	}
	patterns_free(g->patterns);
	sha256_free(g->sha);
	free(g->ways);
	free(g->names);
	free(g->list);
	free(g);
}

void guards_digest(const struct guards *g, uint8_t ret[static SHA256_SIZE])
{
	memcpy(ret, g->digest, SHA256_SIZE);
}

const char *guards_engine(const struct guards *g)
{
	return patterns_engine_name(g->patterns);
}

size_t guards_count(const struct guards *g)
{
	return g->count;
}

const struct guards_guard *guards_get(const struct guards *g, size_t i)
{
	return &g->list[i].shown;
}

bool guards_is_disabled(const struct guards *g, size_t i)
{
	return g->list[i].is_disabled;
}

/* --- where a guard stands back ------------------------------------------------------------------
 */

/* As for rules, `!` is read in the way that lets less out. */
static bool globs_match(const struct globs *globs, const char *path)
{
	size_t which;

	return glob_list_match(globs->list, globs->count, path, false, GLOB_NEGATES_BELOW, &which);
}

void guards_start(const struct guards *g)
{
	patterns_start(g->patterns);
}

bool guards_look_inside(const struct guards *g)
{
	for (size_t i = 0; i < GUARDS_FORMATS; i++)
		if (!g->list[g->formats[i]].is_disabled)
			return true;
	return g->way_count > 0;
}

bool guards_allows(const struct guards *g, size_t i, const char *path)
{
	const struct guard *guard = &g->list[i];

	for (size_t k = 0; k < guard->allow_count; k++)
		if (selection_match(guard->allow[k], path, false, GLOB_NEGATES_BELOW, NULL))
			return true;
	return false;
}

bool guards_applies(const struct guards *g, size_t i, const char *path, enum label label)
{
	const struct guard *guard = &g->list[i];

	return !guard->is_disabled && !(guard->only_public && label != LABEL_PUBLIC) &&
	       !guards_allows(g, i, path);
}

const struct guards_guard *guards_judge_name(const struct guards *g, const char *name,
					     const char *path)
{
	const struct guards_guard *found = NULL;
	struct buf text = BUF_INIT;
	struct err e;

	/* Without memory the name is judged as it is. */
	const char *folded = fold_name(&text, name, &e) == 0 ? text.data : name;
	for (size_t i = 0; i < g->count && found == NULL; i++)
		if (g->names[i].count > 0 && !g->list[i].is_disabled &&
		    globs_match(&g->names[i], folded) && !guards_allows(g, i, path))
			found = &g->list[i].shown;
	buf_release(&text);
	return found;
}

struct patterns *guards_patterns(const struct guards *g)
{
	return g->patterns;
}

const struct guards_way *guards_way(const struct guards *g, size_t pattern)
{
	return &g->ways[pattern];
}

size_t guards_way_count(const struct guards *g)
{
	return g->way_count;
}

size_t guards_of_format(const struct guards *g, enum guards_format format)
{
	return g->formats[format];
}
