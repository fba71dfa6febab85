#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/headerrules.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/arena.h"
#include "swarm/hex.h"
#include "swarm/nginx.h"
#include "swarm/path.h"
#include "swarm/urlpath.h"

enum { CACHE, TYPE, FIELDS };

static const char *const field_names[FIELDS] = {"Cache-Control", "Content-Type"};

#define NO_VALUE  (-1)
#define WORDS     (HEADERRULES_VALUES_MAX / 64)
#define DEPTH_MAX (PATH_LENGTH_MAX / 2 + 2)

/* A set of values of a field. */
struct values {
	uint64_t bits[WORDS];
};

/*
 * A file or a folder; a folder stands before all that is in it.
 *
 * `best` has, of a file, its value. Of a folder it has those that need the fewest rules below if
 * they hold in all of it; with any other that holds there, it takes one rule more. Empty: no value
 * may hold in all of it.
 */
struct node {
	const char *path; /* "" of the whole release */
	size_t end;       /* the first node that is not in it */
	bool is_folder;
	bool has_alias;
	bool is_mixed; /* on Netlify: there are files in it that are to have different headers */
	struct values best[FIELDS];
};

struct field {
	const char *values[HEADERRULES_VALUES_MAX];
	size_t count, last;
};

struct headerrules {
	enum headerrules_server server;
	struct buf prefix; /* percent-encoded */
	struct field fields[FIELDS];
	struct node *nodes;
	size_t count, cap;
	size_t open[DEPTH_MAX]; /* the folders around the last file */
	size_t depth;
	const struct node **sorted; /* by path, as the server compares */
	struct arena arena;
};

/* --- values -------------------------------------------------------------------------------------
 */

static bool has_value(const struct values *v, size_t n)
{
	return v->bits[n / 64] >> n % 64 & 1;
}

static void add_value(struct values *v, size_t n)
{
	v->bits[n / 64] |= UINT64_C(1) << n % 64;
}

static bool is_empty(const struct values *v)
{
	for (size_t i = 0; i < WORDS; i++)
		if (v->bits[i] != 0)
			return false;
	return true;
}

static int first_value(const struct values *v)
{
	for (int i = 0; i < HEADERRULES_VALUES_MAX; i++)
		if (has_value(v, (size_t)i))
			return i;
	return NO_VALUE;
}

/* --- files --------------------------------------------------------------------------------------
 */

struct headerrules *headerrules_new(enum headerrules_server server, const char *url_prefix,
				    struct err *e)
{
	struct headerrules *h = calloc(1, sizeof *h);

	if (h == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	h->server = server;
	buf_init(&h->prefix);
	if (urlpath_add_prefix(
		&h->prefix, url_prefix != NULL ? url_prefix : "/",
		server == HEADERRULES_CLOUDFLARE ? URLPATH_COMPONENTS : URLPATH_BROWSER, e) != 0)
		goto fail;
	if (buf_check(&h->prefix, e) != 0)
		goto fail;
	if (strpbrk(h->prefix.data, "*:") == NULL && strstr(h->prefix.data, "%3A") == NULL)
		return h;
	(void)err_set(e, ERR_USAGE, "--url-prefix: '*' and ':' mean something else in rules: '%s'",
		      url_prefix);
fail:
	headerrules_free(h);
	return NULL;
}

void headerrules_free(struct headerrules *h)
{
	if (h == NULL)
		return;
	free(h->nodes);
	free(h->sorted);
	buf_release(&h->prefix);
	arena_release(&h->arena);
	free(h);
}

static int add_node(struct headerrules *h, const char *path, size_t len, bool is_folder,
		    struct err *e)
{
	if (h->count == h->cap) {
		size_t want = h->cap == 0 ? 64 : h->cap * 2;
		struct node *nodes = reallocarray(h->nodes, want, sizeof *nodes);
		if (nodes == NULL)
			return err_nomem(e);
		h->nodes = nodes;
		h->cap = want;
	}
	struct node node = {
	    .path = arena_copy(&h->arena, path, len), .end = h->count + 1, .is_folder = is_folder};
	if (node.path == NULL)
		return err_nomem(e);
	h->nodes[h->count++] = node;
	return 0;
}

/* Leaves the folders that the path is not in, and enters those that it is. */
static int enter(struct headerrules *h, const char *path, struct err *e)
{
	if (h->depth == 0) {
		if (add_node(h, "", 0, true, e) != 0)
			return -1;
		h->open[h->depth++] = 0;
	}
	while (h->depth > 1 && !path_is_below(path, h->nodes[h->open[h->depth - 1]].path))
		h->nodes[h->open[--h->depth]].end = h->count;
	const char *at = path + strlen(h->nodes[h->open[h->depth - 1]].path);
	at += *at == '/';
	for (const char *slash; (slash = strchr(at, '/')) != NULL; at = slash + 1) {
		if (add_node(h, path, (size_t)(slash - path), true, e) != 0)
			return -1;
		h->open[h->depth++] = h->count - 1;
	}
	return 0;
}

/* NO_VALUE for blanks, too: no server takes a field without a value. */
static int find_value(struct headerrules *h, struct field *f, const char *text, int *ret,
		      struct err *e)
{
	*ret = NO_VALUE;
	if (text == NULL || text[strspn(text, " ")] == '\0')
		return 0;
	/* It would stand for what the '*' of a rule has matched. */
	if (h->server == HEADERRULES_CLOUDFLARE && strstr(text, ":splat") != NULL)
		return err_set(e, ERR_REFUSED, "':splat' means something else to Cloudflare");
	size_t i = f->last;
	if (i >= f->count || strcmp(f->values[i], text) != 0)
		for (i = 0; i < f->count && strcmp(f->values[i], text) != 0; i++)
			;
	if (i == HEADERRULES_VALUES_MAX)
		return err_set(e, ERR_REFUSED, "over %d different values are too many for rules",
			       HEADERRULES_VALUES_MAX);
	if (i == f->count) {
		f->values[i] = arena_copy(&h->arena, text, strlen(text));
		if (f->values[i] == NULL)
			return err_nomem(e);
		f->count++;
	}
	f->last = i;
	*ret = (int)i;
	return 0;
}

int headerrules_add(struct headerrules *h, const struct entry *entry, struct err *e)
{
	const char *const texts[FIELDS] = {entry->cache, entry->type};

	if (enter(h, entry->path, e) != 0 ||
	    add_node(h, entry->path, strlen(entry->path), false, e) != 0)
		return -1;
	for (size_t f = 0; f < FIELDS; f++) {
		int value;
		if (find_value(h, &h->fields[f], texts[f], &value, e) != 0)
			return err_prefix(e, "'%s': %s", entry->path, field_names[f]);
		if (value != NO_VALUE)
			add_value(&h->nodes[h->count - 1].best[f], (size_t)value);
	}
	return 0;
}

/* --- paths as the server compares them ----------------------------------------------------------
 */

static int by_bytes(const void *left, const void *right)
{
	const struct node *const *a = left, *const *b = right;

	int order = strcmp((*a)->path, (*b)->path);

	return order != 0 ? order : (*a)->is_folder - (*b)->is_folder;
}

static int by_letters(const void *left, const void *right)
{
	const struct node *const *a = left, *const *b = right;
	int order = nginx_compare((*a)->path, (*b)->path);

	return order != 0 ? order : (*a)->is_folder - (*b)->is_folder;
}

static int sort(struct headerrules *h, struct err *e)
{
	h->sorted = reallocarray(NULL, h->count, sizeof *h->sorted);
	if (h->sorted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < h->count; i++)
		h->sorted[i] = &h->nodes[i];
	bool netlify = h->server == HEADERRULES_NETLIFY;
	qsort(h->sorted, h->count, sizeof *h->sorted, netlify ? by_letters : by_bytes);
	for (size_t i = 1; netlify && i < h->count; i++) {
		const struct node *a = h->sorted[i - 1], *b = h->sorted[i];
		if (!(a->is_folder && b->is_folder) && nginx_compare(a->path, b->path) == 0)
			return err_set(e, ERR_REFUSED,
				       "'%s' and '%s' differ in case only: Netlify cannot tell "
				       "them apart in rules",
				       a->path, b->path);
	}
	return 0;
}

static bool is_file(const struct headerrules *h, const char *path)
{
	const struct node node = {.path = path}, *key = &node;

	return bsearch(&key, h->sorted, h->count, sizeof *h->sorted,
		       h->server == HEADERRULES_NETLIFY ? by_letters : by_bytes) != NULL;
}

/* Below, equal or above 0: `path` against all that begin with `start`. */
static int compare_start(const char *path, const char *start)
{
	char text[PATH_LENGTH_MAX + 1];
	size_t len = strnlen(path, strlen(start));

	memcpy(text, path, len);
	text[len] = '\0';
	return nginx_compare(text, start);
}

/* How many paths come before those that begin with `start`, or with `after` before their end. */
static size_t count_before(const struct headerrules *h, const char *start, bool after)
{
	size_t low = 0, high = h->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_start(h->sorted[middle]->path, start);
		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether a rule for all that is in the folder would match that, and nothing else. */
static bool can_have_rule(const struct headerrules *h, size_t i)
{
	const struct node *n = &h->nodes[i];

	if (h->server == HEADERRULES_CLOUDFLARE)
		return i > 0 || strcmp(h->prefix.data, "/") != 0;
	return i > 0 &&
	       count_before(h, n->path, true) - count_before(h, n->path, false) == n->end - i;
}

/* --- the second URLs of pages -------------------------------------------------------------------
 */

#define PAGE  ".html"
#define INDEX "index" PAGE

/* Puts the other path that a page is found at into *to, if there is one. */
static bool alias_of(const char *path, struct buf *to)
{
	size_t len = strlen(path), name = (size_t)(path_base(path) - path);

	buf_clear(to);
	if (strcmp(path + name, INDEX) == 0)
		len = name;
	else if (len - name >= sizeof PAGE && strcmp(path + len - (sizeof PAGE - 1), PAGE) == 0)
		len -= sizeof PAGE - 1;
	else
		return false;
	buf_add(to, path, len);
	return true;
}

/* A file of that name comes first; on Netlify so may the index of a folder of that name. */
static int find_aliases(struct headerrules *h, struct err *e)
{
	struct buf alias = BUF_INIT;
	int status = -1;

	for (size_t i = 0; i < h->count; i++) {
		struct node *n = &h->nodes[i];
		if (n->is_folder || !alias_of(n->path, &alias))
			continue;
		n->has_alias = !is_file(h, alias.data);
		if (strcmp(path_base(n->path), INDEX) == 0 || h->server != HEADERRULES_NETLIFY)
			continue;
		buf_adds(&alias, "/" INDEX);
		if (buf_check(&alias, e) != 0)
			goto out;
		n->has_alias = n->has_alias && !is_file(h, alias.data);
	}
	status = buf_check(&alias, e);
out:
	buf_release(&alias);
	return status;
}

/* --- which rules --------------------------------------------------------------------------------
 */

/* How many rules it takes for this node alone. */
static uint64_t weight(const struct node *n)
{
	return n->has_alias ? 2 : 1;
}

/*
 * The values that most rules are saved by: each child counts for all of its best ones. This is how
 * routing tables are made small (Draves and others, "Constructing optimal IP routing tables").
 */
static struct values most_wanted(const struct headerrules *h, size_t folder, size_t f)
{
	uint64_t scores[HEADERRULES_VALUES_MAX] = {0}, most = 0;
	struct values best = {.bits = {0}};

	for (size_t i = folder + 1; i < h->nodes[folder].end; i = h->nodes[i].end) {
		const struct node *child = &h->nodes[i];
		if (is_empty(&child->best[f]))
			return (struct values){.bits = {0}};
		for (size_t v = 0; v < h->fields[f].count; v++)
			if (has_value(&child->best[f], v))
				scores[v] += weight(child);
	}
	for (size_t v = 0; v < h->fields[f].count; v++)
		most = scores[v] > most ? scores[v] : most;
	for (size_t v = 0; v < h->fields[f].count; v++)
		if (scores[v] == most)
			add_value(&best, v);
	return best;
}

/* Whether all files in it are to have the same: then these are its best values. */
static bool take_shared(const struct headerrules *h, size_t folder, struct node *n)
{
	const struct node *first = &h->nodes[folder + 1];

	for (size_t i = folder + 1; i < n->end; i = h->nodes[i].end)
		if (h->nodes[i].is_mixed ||
		    memcmp(h->nodes[i].best, first->best, sizeof first->best) != 0)
			return false;
	memcpy(n->best, first->best, sizeof n->best);
	return true;
}

static void choose(struct headerrules *h)
{
	for (size_t i = h->count; i-- > 0;) {
		struct node *n = &h->nodes[i];
		if (!n->is_folder)
			continue;
		if (h->server == HEADERRULES_NETLIFY)
			n->is_mixed = !take_shared(h, i, n);
		else
			for (size_t f = 0; f < FIELDS; f++)
				n->best[f] = most_wanted(h, i, f);
	}
}

/* --- writing them -------------------------------------------------------------------------------
 */

/* A walk over all nodes, which only counts where `out` is NULL. */
struct walk {
	const struct headerrules *h;
	struct outfile *out;
	struct buf text, path;
	uint64_t rules;
	const char *worst; /* the folder with the most rules for what is directly in it */
	uint64_t worst_rules;
	size_t depth;
	struct around {
		size_t node;
		uint64_t rules;
		int holds[FIELDS]; /* what a rule says of all that is in it, or NO_VALUE */
	} around[DEPTH_MAX];
};

static int put_rule(struct walk *w, const char *path, const char *rest, const int *said,
		    const int *before, struct err *e)
{
	const struct headerrules *h = w->h;
	size_t start = w->text.len;

	w->rules++;
	if (w->out == NULL)
		return 0;
	buf_add(&w->text, h->prefix.data, h->prefix.len);
	urlpath_add(&w->text, path,
		    h->server == HEADERRULES_CLOUDFLARE ? URLPATH_COMPONENTS : URLPATH_BROWSER);
	buf_adds(&w->text, rest);
	if (h->server == HEADERRULES_CLOUDFLARE && w->text.len - start > HEADERRULES_LINE_MAX)
		return err_set(e, ERR_REFUSED,
			       "'%s' would take a line of over %d characters, more than "
			       "Cloudflare reads",
			       path, HEADERRULES_LINE_MAX);
	buf_addc(&w->text, '\n');
	for (size_t f = 0; f < FIELDS; f++) {
		if (said[f] == NO_VALUE)
			continue;
		if (before[f] != NO_VALUE)
			buf_addf(&w->text, "  ! %s\n", field_names[f]);
		buf_addf(&w->text, "  %s: %s\n", field_names[f], h->fields[f].values[said[f]]);
	}
	return outfile_gather(w->out, &w->text, e);
}

static bool says_nothing(const int *said)
{
	for (size_t f = 0; f < FIELDS; f++)
		if (said[f] != NO_VALUE)
			return false;
	return true;
}

static int put_file(struct walk *w, const struct node *n, struct err *e)
{
	struct around *in = &w->around[w->depth - 1];
	int said[FIELDS];

	for (size_t f = 0; f < FIELDS; f++) {
		int value = first_value(&n->best[f]);
		said[f] = value != in->holds[f] ? value : NO_VALUE;
	}
	if (says_nothing(said))
		return 0;
	in->rules += weight(n);
	if (put_rule(w, n->path, "", said, in->holds, e) != 0)
		return -1;
	if (!n->has_alias)
		return 0;
	(void)alias_of(n->path, &w->path);
	if (buf_check(&w->path, e) != 0)
		return -1;
	return put_rule(w, w->path.data, "", said, in->holds, e);
}

static int put_folder(struct walk *w, size_t i, struct err *e)
{
	const struct headerrules *h = w->h;
	const struct node *n = &h->nodes[i];
	struct around *in = w->depth > 0 ? &w->around[w->depth - 1] : NULL;
	struct around here = {.node = i};
	int said[FIELDS], before[FIELDS];

	for (size_t f = 0; f < FIELDS; f++) {
		before[f] = in != NULL ? in->holds[f] : NO_VALUE;
		bool kept = before[f] != NO_VALUE && has_value(&n->best[f], (size_t)before[f]);
		said[f] = kept || !can_have_rule(h, i) ? NO_VALUE : first_value(&n->best[f]);
		here.holds[f] = said[f] != NO_VALUE ? said[f] : before[f];
	}
	w->around[w->depth++] = here;
	if (says_nothing(said))
		return 0;
	if (in != NULL)
		in->rules++;
	return put_rule(w, n->path, n->path[0] != '\0' ? "/*" : "*", said, before, e);
}

static void leave(struct walk *w)
{
	const struct around *a = &w->around[--w->depth];

	if (a->rules > w->worst_rules) {
		w->worst = w->h->nodes[a->node].path;
		w->worst_rules = a->rules;
	}
}

static int walk_all(struct walk *w, struct err *e)
{
	const struct headerrules *h = w->h;

	for (size_t i = 0; i < h->count; i++) {
		while (w->depth > 0 && h->nodes[w->around[w->depth - 1].node].end <= i)
			leave(w);
		if ((h->nodes[i].is_folder ? put_folder(w, i, e) : put_file(w, &h->nodes[i], e)) !=
		    0)
			return -1;
	}
	while (w->depth > 0)
		leave(w);
	return 0;
}

/* Whether there are few enough of them. */
static int check_count(struct walk *w, struct err *e)
{
	if (w->h->server != HEADERRULES_CLOUDFLARE)
		return 0;
	if (walk_all(w, e) != 0)
		return -1;
	if (w->rules > HEADERRULES_MAX)
		return err_set(e, ERR_REFUSED,
			       "it takes %llu rules, and Cloudflare reads %d: %llu of them are for "
			       "what is in '%s/', where files differ in 'cache' or 'type'; give "
			       "those in a folder the same",
			       (unsigned long long)w->rules, HEADERRULES_MAX,
			       (unsigned long long)w->worst_rules, w->worst);
	w->rules = 0;
	return 0;
}

static void add_comment(struct walk *w, const struct head *head)
{
	const struct release_id *id = &head->id;
	char hex[2 * SHA256_SIZE + 1];

	hex_format(hex, head->digest, SHA256_SIZE);
	buf_addf(&w->text, "# %s %s (%s, serial %llu), manifest body %s\n", id->product,
		 id->version, id->channel, (unsigned long long)id->serial, hex);
	buf_addf(&w->text,
		 "# Written by swarmexport --format headers for %s: see swarmexport(1).\n",
		 w->h->server == HEADERRULES_CLOUDFLARE ? "Cloudflare" : "Netlify");
}

int headerrules_write(struct headerrules *h, const struct head *head, struct outfile *out,
		      uint64_t *ret_rules, struct err *e)
{
	struct walk w = {.h = h, .text = BUF_INIT, .path = BUF_INIT};
	int status = -1;

	while (h->depth > 0)
		h->nodes[h->open[--h->depth]].end = h->count;
	if (sort(h, e) != 0 || find_aliases(h, e) != 0)
		goto out;
	choose(h);
	if (check_count(&w, e) != 0)
		goto out;
	w.out = out;
	add_comment(&w, head);
	if (walk_all(&w, e) != 0 || outfile_drain(out, &w.text, e) != 0)
		goto out;
	*ret_rules = w.rules;
	status = 0;
out:
	buf_release(&w.text);
	buf_release(&w.path);
	return status;
}
