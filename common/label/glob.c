#include "swarm/glob.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	BYTE, /* this byte, '/' included */
	ANY,  /* any byte but '/' */
	SET,  /* any byte of a set, which never holds '/' */
	STAR, /* any run of bytes but '/' */
	DIRS, /* any number of components, each with the slash behind it */
};

struct token {
	enum kind kind;
	uint32_t value; /* the byte, or the index of the set */
};

struct set {
	uint8_t bits[32];
};

struct glob {
	bool negated;
	bool directory_only;
	bool anchored;
	size_t shortest; /* bytes of the shortest text that can match */
	size_t tail;     /* tokens at the end that are all BYTE */
	struct set *sets;
	size_t n_sets;
	size_t n;
	struct token tokens[];
};

/* --- compiling -------------------------------------------------------------------------------- */

struct compiler {
	struct glob *g;
	const char *start, *p, *end;
	const char *close; /* see next_close() */
	size_t first;      /* token of the component that p is in */
};

static void add_token(struct compiler *c, enum kind kind, uint32_t value)
{
	struct glob *g = c->g;

	if (kind == STAR && g->n > 0 && g->tokens[g->n - 1].kind == STAR)
		return;
	g->tokens[g->n++] = (struct token){kind, value};
	g->shortest += kind != STAR && kind != DIRS;
	g->tail = kind == BYTE ? g->tail + 1 : 0;
}

static int end_component(struct compiler *c, struct err *e)
{
	const struct token *t = c->g->tokens + c->first;
	size_t n = c->g->n - c->first;
	size_t dots = 0;

	while (dots < n && t[dots].kind == BYTE && t[dots].value == '.')
		dots++;
	if (n == 0)
		return err_set(e, ERR_CONFIG, "it has an empty component");
	if (n == dots && n <= 2)
		return err_set(e, ERR_CONFIG, "no path has a component '%s'", n == 1 ? "." : "..");
	return 0;
}

static int add_slash(struct compiler *c, struct err *e)
{
	if (end_component(c, e) != 0)
		return -1;
	add_token(c, BYTE, '/');
	c->first = c->g->n;
	return 0;
}

static int add_stars(struct compiler *c, struct err *e)
{
	const char *stars = c->p;

	while (c->p < c->end && *c->p == '*')
		c->p++;
	bool starts = stars == c->start || stars[-1] == '/';
	bool escaped = c->end - c->p >= 2 && c->p[0] == '\\' && c->p[1] == '/';
	bool ends = c->p == c->end || *c->p == '/' || escaped;
	if (c->p - stars < 2 || !starts || !ends) {
		add_token(c, STAR, 0);
		return 0;
	}
	if (c->p == c->end) {
		add_token(c, DIRS, 0);
		add_token(c, STAR, 0);
		return 0;
	}
	/* Only a plain slash lets `**` stand for no component at all: git's matcher has it so. */
	if (escaped) {
		add_token(c, STAR, 0);
		if (add_slash(c, e) != 0)
			return -1;
	}
	add_token(c, DIRS, 0);
	c->p += escaped ? 2 : 1;
	c->first = c->g->n;
	return 0;
}

static void set_add(struct set *set, int from, int to)
{
	for (int b = from; b <= to; b++)
		set->bits[b / 8] = (uint8_t)(set->bits[b / 8] | 1u << b % 8);
}

static bool set_has(const struct set *set, uint8_t byte)
{
	return set->bits[byte / 8] >> byte % 8 & 1;
}

static bool set_is_empty(const struct set *set)
{
	static const struct set empty;

	return memcmp(set, &empty, sizeof empty) == 0;
}

/* `bounds` holds pairs, a first and a last byte. As in git, [:space:] has no \v and \f. */
static const struct {
	const char *name, *bounds;
} classes[] = {
    {"alnum", "09AZaz"},   {"alpha", "AZaz"},
    {"blank", "\t\t  "},   {"cntrl", "\x01\x1f\x7f\x7f"},
    {"digit", "09"},       {"graph", "!~"},
    {"lower", "az"},       {"print", " ~"},
    {"punct", "!/:@[`{~"}, {"space", "\t\n\r\r  "},
    {"upper", "AZ"},       {"xdigit", "09AFaf"},
};

static int set_add_class(struct set *set, const char *name, size_t len, struct err *e)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		if (strlen(classes[i].name) != len || memcmp(classes[i].name, name, len) != 0)
			continue;
		for (const char *b = classes[i].bounds; *b != '\0'; b += 2)
			set_add(set, b[0], b[1]);
		return 0;
	}
	return err_set(e, ERR_CONFIG, "there is no character class '[:%.*s:]'",
		       (int)(len < 32 ? len : 32), name);
}

static int unclosed(struct err *e)
{
	return err_set(e, ERR_CONFIG, "a '[' is not closed");
}

/* The first ']' from `from` on, or the end; remembered, or a row of "[:" would take n^2 steps. */
static const char *next_close(struct compiler *c, const char *from)
{
	if (c->close == NULL || c->close < from) {
		c->close = memchr(from, ']', (size_t)(c->end - from));
		if (c->close == NULL)
			c->close = c->end;
	}
	return c->close;
}

/* The end of the "[:name:]" at p, or NULL if p is not at one. */
static const char *class_end(struct compiler *c)
{
	if (c->end - c->p < 3 || c->p[0] != '[' || c->p[1] != ':')
		return NULL;
	const char *close = next_close(c, c->p + 2);
	return close < c->end && close > c->p + 2 && close[-1] == ':' ? close + 1 : NULL;
}

static int add_members(struct compiler *c, struct set *set, struct err *e)
{
	/* What a range could start with: not the end of another range, nor a class. */
	int before = -1;

	for (const char *first = c->p; c->p < c->end && (c->p == first || *c->p != ']'); c->p++) {
		const char *close = class_end(c);
		bool range = *c->p == '-' && before >= 0 && c->end - c->p > 1 && c->p[1] != ']';
		if (close != NULL) {
			size_t len = (size_t)(close - c->p) - 4;
			if (set_add_class(set, c->p + 2, len, e) != 0)
				return -1;
			c->p = close - 1;
			before = -1;
			continue;
		}
		c->p += range;
		if (*c->p == '\\' && ++c->p == c->end)
			return unclosed(e);
		int byte = (uint8_t)*c->p;
		set_add(set, range ? before : byte, byte);
		before = range ? -1 : byte;
	}
	return c->p < c->end ? 0 : unclosed(e);
}

static int add_set(struct compiler *c, struct err *e)
{
	struct set *set = &c->g->sets[c->g->n_sets];
	const char *open = c->p++;

	bool inverted = c->p < c->end && (*c->p == '!' || *c->p == '^');
	c->p += inverted;
	if (add_members(c, set, e) != 0)
		return -1;
	c->p++;
	for (size_t i = 0; i < sizeof set->bits; i++)
		set->bits[i] = (uint8_t)(set->bits[i] ^ (inverted ? 0xFF : 0));
	set->bits['\0' / 8] &= (uint8_t) ~(1u << '\0' % 8);
	set->bits['/' / 8] &= (uint8_t) ~(1u << '/' % 8);
	if (set_is_empty(set))
		return err_set(e, ERR_CONFIG, "'%.*s' matches nothing",
			       (int)(c->p - open < 64 ? c->p - open : 64), open);
	add_token(c, SET, (uint32_t)c->g->n_sets++);
	return 0;
}

static int add_next(struct compiler *c, struct err *e)
{
	if (*c->p == '*')
		return add_stars(c, e);
	if (*c->p == '[')
		return add_set(c, e);
	if (*c->p == '?') {
		c->p++;
		add_token(c, ANY, 0);
		return 0;
	}
	if (*c->p == '\\' && ++c->p == c->end)
		return err_set(e, ERR_CONFIG, "the '\\' at its end escapes nothing");
	char byte = *c->p++;
	if (byte == '/')
		return add_slash(c, e);
	add_token(c, BYTE, (uint8_t)byte);
	return 0;
}

static int compile(struct glob *g, const char *start, const char *end, struct err *e)
{
	struct compiler c = {.g = g, .start = start, .p = start, .end = end};

	while (c.p < c.end)
		if (add_next(&c, e) != 0)
			return -1;
	return end_component(&c, e);
}

/* Without the trailing spaces that no '\' keeps. */
static size_t trimmed_length(const char *pattern)
{
	size_t len = 0;

	for (size_t i = 0; pattern[i] != '\0'; i++) {
		if (pattern[i] == '\\' && pattern[i + 1] != '\0')
			i++;
		else if (pattern[i] == ' ')
			continue;
		len = i + 1;
	}
	return len;
}

static struct glob *allocate(const char *start, const char *end)
{
	size_t len = (size_t)(end - start), sets = 0;

	for (const char *p = start; p < end; p++)
		sets += *p == '[';
	if (len > (UINT32_MAX - sizeof(struct glob)) / sizeof(struct token))
		return NULL;
	struct glob *g = calloc(1, sizeof *g + len * sizeof *g->tokens);
	if (g != NULL && sets > 0 && (g->sets = calloc(sets, sizeof *g->sets)) == NULL) {
		free(g);
		g = NULL;
	}
	return g;
}

struct glob *glob_new(const char *pattern, struct err *e)
{
	const char *start = pattern, *end = pattern + trimmed_length(pattern);

	if (*pattern == '#') {
		(void)err_set(e, ERR_CONFIG, "it starts with '#' like a comment: write '\\#'");
		return NULL;
	}
	bool negated = start < end && *start == '!';
	start += negated;
	bool directory_only = start < end && end[-1] == '/';
	end -= directory_only;
	bool anchored = memchr(start, '/', (size_t)(end - start)) != NULL;
	start += start < end && *start == '/';
	if (start == end) {
		(void)err_set(e, ERR_CONFIG, "it is empty");
		return NULL;
	}
	struct glob *g = allocate(start, end);
	if (g == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	g->negated = negated;
	g->directory_only = directory_only;
	g->anchored = anchored;
	if (compile(g, start, end, e) != 0) {
		glob_free(g);
		return NULL;
	}
	return g;
}

void glob_free(struct glob *g)
{
	if (g == NULL)
		return;
	free(g->sets);
	free(g);
}

bool glob_is_negated(const struct glob *g)
{
	return g->negated;
}

/* --- matching --------------------------------------------------------------------------------- */

static bool accepts(const struct glob *g, struct token token, uint8_t byte)
{
	switch (token.kind) {
	case BYTE: return byte == token.value;
	case ANY: return byte != '/';
	case SET: return set_has(&g->sets[token.value], byte);
	case STAR:
	case DIRS: break;
	}
	return false;
}

/* Settles most mismatches ("*.png" on "x.js", ".git" on "img") before the search. */
static bool is_possible(const struct glob *g, const char *text, size_t len)
{
	if (len < g->shortest ||
	    (g->n > 0 && g->tokens[0].kind == BYTE && (uint8_t)text[0] != g->tokens[0].value))
		return false;
	for (size_t i = 1; i <= g->tail; i++)
		if ((uint8_t)text[len - i] != g->tokens[g->n - i].value)
			return false;
	return true;
}

/* Where to take up the search again: a token, and the byte of the text that it starts at. */
struct retry {
	bool set;
	size_t token, byte;
};

/*
 * Only the last STAR and the last DIRS are ever tried again. Slashes match nothing but slashes, so
 * a component of the pattern meets one component of the path, and where it ends does not depend on
 * how its stars were spread: past its slash they are done with. Within a component, and likewise
 * among components with DIRS for the star, the leftmost match of what stands before a later star
 * leaves that star the most to choose from: if it fails from there, it fails from everywhere.
 * Hence each component of the pattern meets each of the path at most once, in time proportional to
 * the product of their lengths.
 */
static bool matches(const struct glob *g, const char *text, size_t len)
{
	struct retry star = {0}, dirs = {0};
	size_t i = 0, at = 0;

	while (i < g->n || at < len) {
		if (i < g->n && g->tokens[i].kind == STAR) {
			star = (struct retry){true, ++i, at};
		} else if (i < g->n && g->tokens[i].kind == DIRS) {
			dirs = (struct retry){true, ++i, at};
			star.set = false;
		} else if (i < g->n && at < len && accepts(g, g->tokens[i], (uint8_t)text[at])) {
			star.set = star.set && text[at] != '/';
			i++;
			at++;
		} else if (star.set && star.byte < len && text[star.byte] != '/') {
			i = star.token;
			at = ++star.byte;
		} else {
			const char *from = text + dirs.byte;
			const char *slash = dirs.set ? memchr(from, '/', len - dirs.byte) : NULL;
			if (slash == NULL)
				return false;
			dirs.byte += (size_t)(slash - from) + 1;
			i = dirs.token;
			at = dirs.byte;
			star.set = false;
		}
	}
	return true;
}

/* A path or one of its parents. */
struct level {
	size_t base, end; /* where its last component starts, and where it ends */
	bool is_directory;
};

static bool match_level(const struct glob *g, const char *path, const struct level *level)
{
	size_t from = g->anchored ? 0 : level->base;

	if (g->directory_only && !level->is_directory)
		return false;
	return is_possible(g, path + from, level->end - from) &&
	       matches(g, path + from, level->end - from);
}

bool glob_match(const struct glob *g, const char *path, bool is_directory)
{
	const char *slash = strrchr(path, '/');
	const struct level level = {slash != NULL ? (size_t)(slash - path) + 1 : 0, strlen(path),
				    is_directory};

	return match_level(g, path, &level);
}

/* The levels of a path, some at a time: a list of patterns asks for each of them again and again.
 */
#define LEVELS 32

struct levels {
	const char *path;
	bool is_directory;
	size_t at; /* where the next level's last component starts */
	size_t n;
	struct level list[LEVELS];
};

/* From the top down; false after the path itself. */
static bool next_levels(struct levels *l)
{
	l->n = 0;
	while (l->n < LEVELS && l->path[l->at] != '\0') {
		size_t end = l->at + strcspn(l->path + l->at, "/");
		bool is_parent = l->path[end] == '/';
		l->list[l->n++] = (struct level){l->at, end, is_parent || l->is_directory};
		l->at = end + is_parent;
	}
	return l->n > 0;
}

static bool match_any(const struct glob *g, const struct levels *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (match_level(g, l->path, &l->list[i]))
			return true;
	return false;
}

static bool last_match_below(struct glob *const *list, size_t n, const char *path,
			     bool is_directory, size_t *ret_index)
{
	struct levels levels = {.path = path, .is_directory = is_directory};
	size_t last = 0; /* the last pattern that matches, plus one */

	while (next_levels(&levels)) {
		size_t i = n;
		while (i > last && !match_any(list[i - 1], &levels))
			i--;
		last = i > last ? i : last;
	}
	if (last == 0 || glob_is_negated(list[last - 1]))
		return false;
	*ret_index = last - 1;
	return true;
}

/* From the top down, each level decides anew or leaves it at what its parent was. */
static bool last_match_by_level(struct glob *const *list, size_t n, const char *path,
				bool is_directory, size_t *ret_index)
{
	struct levels levels = {.path = path, .is_directory = is_directory};
	bool selected = false;
	size_t index = 0;

	while (next_levels(&levels))
		for (size_t k = 0; k < levels.n; k++) {
			size_t i = n;
			while (i > 0 && !match_level(list[i - 1], path, &levels.list[k]))
				i--;
			if (i == 0)
				continue;
			selected = !glob_is_negated(list[i - 1]);
			index = i - 1;
		}
	if (selected)
		*ret_index = index;
	return selected;
}

struct glob **glob_list_new(const char *name, const char *const *patterns, size_t n, struct err *e)
{
	struct glob **list = calloc(n + 1, sizeof(struct glob *));

	if (list == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		list[i] = glob_new(patterns[i], e);
		if (list[i] == NULL) {
			e->code = ERR_USAGE;
			(void)err_prefix(e, "%s '%s'", name, patterns[i]);
			glob_list_free(list, i);
			return NULL;
		}
	}
	return list;
}

void glob_list_free(struct glob **list, size_t n)
{
	for (size_t i = 0; list != NULL && i < n; i++)
		glob_free(list[i]);
	free(list);
}

bool glob_list_match(struct glob *const *list, size_t n, const char *path, bool is_directory,
		     enum glob_negation negation, size_t *ret_index)
{
	return negation == GLOB_NEGATES_BELOW
		   ? last_match_below(list, n, path, is_directory, ret_index)
		   : last_match_by_level(list, n, path, is_directory, ret_index);
}
