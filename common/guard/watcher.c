#include "swarm/watcher.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/binary.h"
#include "swarm/mime.h"
#include "swarm/patterns.h"
#include "swarm/photo.h"

enum wanted { UNKNOWN, YES, NO };

/* How often something was found, and where first. */
struct sightings {
	uint64_t line, offset, count;
};

struct watcher {
	const struct guards *guards;
	struct hits *hits;
	struct patterns_scanner *scanner;
	const struct watcher_file *files; /* with this content */
	size_t count;
	uint64_t seen;
	enum wanted *wanted;      /* by pattern: by one of the files */
	struct sightings *found;  /* by pattern, in this content */
	struct sightings *totals; /* by guard, for one of the files */
	bool has_found;
};

static bool wants(void *context, size_t pattern)
{
	struct watcher *w = context;

	size_t guard = guards_way(w->guards, pattern)->guard;

	for (size_t i = 0; i < w->count && w->wanted[pattern] == UNKNOWN; i++)
		if (guards_applies(w->guards, guard, w->files[i].path, w->files[i].label))
			w->wanted[pattern] = YES;
	if (w->wanted[pattern] == UNKNOWN)
		w->wanted[pattern] = NO;
	return w->wanted[pattern] == YES;
}

/* Shannon entropy, in bits a byte. */
static double entropy_of(const uint8_t *text, size_t len)
{
	size_t seen[256] = {0};
	double sum = 0;

	for (size_t i = 0; i < len; i++)
		seen[text[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (seen[i] > 0) {
			double share = (double)seen[i] / (double)len;
			sum -= share * log2(share);
		}
	return sum;
}

static bool holds_word(const uint8_t *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++) {
		size_t k = 0;
		while (k < n && tolower(text[i + k]) == tolower((unsigned char)word[k]))
			k++;
		if (k == n)
			return true;
	}
	return false;
}

static bool holds_keyword(const struct guards_way *way, const struct patterns_match *m)
{
	for (size_t i = 0; i < way->keyword_count; i++)
		if (holds_word(m->text, m->len, way->keywords[i]))
			return true;
	return way->keyword_count == 0;
}

static void add_sightings(struct sightings *to, const struct sightings *more)
{
	if (to->count == 0 || more->offset < to->offset) {
		to->line = more->line;
		to->offset = more->offset;
	}
	to->count += more->count;
}

static int found(void *context, const struct patterns_match *m, struct err *e)
{
	struct watcher *w = context;
	const struct guards_way *way = guards_way(w->guards, m->pattern);

	(void)e;
	if ((way->entropy > 0 && entropy_of(m->secret, m->secret_len) < way->entropy) ||
	    !holds_keyword(way, m))
		return 0;
	add_sightings(&w->found[m->pattern], &(struct sightings){m->line, m->offset, 1});
	w->has_found = true;
	return 0;
}

static const char *name(void *context, size_t pattern)
{
	const struct watcher *w = context;

	return guards_get(w->guards, guards_way(w->guards, pattern)->guard)->id;
}

struct watcher *watcher_new(const struct guards *g, struct hits *to, struct err *e)
{
	struct watcher *w = calloc(1, sizeof *w);

	if (w == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	struct patterns_visitor visitor = {w, wants, found, name};
	w->guards = g;
	w->hits = to;
	w->wanted = calloc(guards_way_count(g) + 1, sizeof *w->wanted);
	w->found = calloc(guards_way_count(g) + 1, sizeof *w->found);
	w->totals = calloc(guards_count(g) + 1, sizeof *w->totals);
	if (w->wanted == NULL || w->found == NULL || w->totals == NULL)
		(void)err_nomem(e);
	else
		w->scanner = patterns_scanner_new(guards_patterns(g), &visitor, e);
	if (w->scanner == NULL) {
		watcher_free(w);
		return NULL;
	}
	return w;
}

void watcher_free(struct watcher *w)
{
	if (w == NULL)
		return;
	patterns_scanner_free(w->scanner);
	free(w->wanted);
	free(w->found);
	free(w->totals);
	free(w);
}

void watcher_begin(struct watcher *w, const struct watcher_file *files, size_t count)
{
	w->files = files;
	w->count = count;
	w->seen = 0;
	w->has_found = false;
	memset(w->wanted, 0, guards_way_count(w->guards) * sizeof *w->wanted);
	memset(w->found, 0, guards_way_count(w->guards) * sizeof *w->found);
	patterns_begin(w->scanner, files->size);
}

/* What the name or the rule promises, and the first bytes break. */
static int check_type(struct watcher *w, const struct watcher_file *file, const void *bytes,
		      size_t len, struct err *e)
{
	const char *type = file->type != NULL ? file->type : mime_of(file->path);
	size_t guard = guards_of_format(w->guards, GUARDS_HTML);

	if (type == NULL || mime_mismatch(type, bytes, len) == NULL ||
	    !guards_applies(w->guards, guard, file->path, file->label))
		return 0;
	const struct hits_hit hit = {
	    .file = file->number, .guard = guards_get(w->guards, guard), .count = 1};
	return hits_add(w->hits, &hit, e);
}

int watcher_see(struct watcher *w, const void *bytes, size_t len, struct err *e)
{
	for (size_t i = 0; w->seen == 0 && len > 0 && i < w->count; i++)
		if (check_type(w, &w->files[i], bytes, len, e) != 0)
			return -1;
	w->seen += len;
	if (patterns_see(w->scanner, bytes, len, e) == 0)
		return 0;
	if (e->code == ERR_CHANGED)
		return err_set(e, ERR_CHANGED, "'%s' changed while it was read", w->files->path);
	return err_prefix(e, "'%s'", w->files->path);
}

/* What was found in the content, as far as it is refused in this file. */
static int tell(struct watcher *w, const struct watcher_file *file, struct err *e)
{
	const struct guards *g = w->guards;

	memset(w->totals, 0, guards_count(g) * sizeof *w->totals);
	for (size_t i = 0; i < guards_way_count(g); i++)
		if (w->found[i].count > 0)
			add_sightings(&w->totals[guards_way(g, i)->guard], &w->found[i]);
	for (size_t i = 0; i < guards_count(g); i++) {
		const struct sightings *total = &w->totals[i];
		const struct hits_hit hit = {file->number, guards_get(g, i), total->line,
					     total->offset, total->count};
		if (total->count > 0 && guards_applies(g, i, file->path, file->label) &&
		    hits_add(w->hits, &hit, e) != 0)
			return -1;
	}
	return 0;
}

int watcher_end(struct watcher *w, struct err *e)
{
	if (patterns_end(w->scanner, e) != 0)
		return err_prefix(e, "'%s'", w->files->path);
	for (size_t i = 0; w->has_found && i < w->count; i++)
		if (tell(w, &w->files[i], e) != 0)
			return -1;
	return 0;
}

/* --- formats ------------------------------------------------------------------------------------
 */

static bool is_wanted(const struct guards *g, enum guards_format format,
		      const struct watcher_file *file)
{
	return guards_applies(g, guards_of_format(g, format), file->path, file->label);
}

bool watcher_knows_format(const struct guards *g, const struct watcher_file *file,
			  const void *first, size_t len)
{
	return (photo_is_known(first, len) && is_wanted(g, GUARDS_PHOTO, file)) ||
	       (binary_is_known(first, len) &&
		(is_wanted(g, GUARDS_DEBUG, file) || is_wanted(g, GUARDS_CORE, file)));
}

int watcher_inspect(const struct guards *g, struct hits *to, const struct watcher_file *files,
		    size_t n, struct probe *p, struct err *e)
{
	enum guards_format format = GUARDS_FORMATS;

	if (photo_has_position(p))
		format = GUARDS_PHOTO;
	if (format == GUARDS_FORMATS && !p->failed) {
		enum binary_find what = binary_examine(p);
		if (what != BINARY_NOTHING)
			format = what == BINARY_DEBUG ? GUARDS_DEBUG : GUARDS_CORE;
	}
	if (p->failed) {
		*e = p->err;
		return -1;
	}
	for (size_t i = 0; format != GUARDS_FORMATS && i < n; i++) {
		const struct hits_hit hit = {.file = files[i].number,
					     .guard = guards_get(g, guards_of_format(g, format)),
					     .count = 1};
		if (is_wanted(g, format, &files[i]) && hits_add(to, &hit, e) != 0)
			return -1;
	}
	return 0;
}
