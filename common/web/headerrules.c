#include "swarm/headerrules.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/hex.h"
#include "swarm/urlpath.h"

#define FIELDS HEADERTREE_FIELDS

static const char *const field_names[FIELDS] = {"Cache-Control", "Content-Type"};

/*
 * Of a file, the `best` of its node has its value. Of a folder it has those that need the fewest
 * rules below if they hold in all of it; with any other that holds there, it takes one rule more.
 * Empty: no value may hold in all of it. On Netlify, folders whose files are to have different
 * headers are mixed.
 */
struct headerrules {
	struct headertree tree;
	struct buf prefix; /* percent-encoded */
	struct headervalues values[FIELDS];
};

static bool is_cloudflare(const struct headerrules *h)
{
	return h->tree.host == HEADERTREE_CLOUDFLARE;
}

static enum urlpath_style style(const struct headerrules *h)
{
	return is_cloudflare(h) ? URLPATH_COMPONENTS : URLPATH_BROWSER;
}

/* --- files --------------------------------------------------------------------------------------
 */

static int read_prefix(struct headerrules *h, const char *url_prefix, struct err *e)
{
	if (urlpath_add_prefix(&h->prefix, url_prefix != NULL ? url_prefix : "/", style(h), e) !=
		0 ||
	    buf_check(&h->prefix, e) != 0)
		return -1;
	if (strpbrk(h->prefix.data, "*:") == NULL && strstr(h->prefix.data, "%3A") == NULL)
		return 0;
	return err_set(e, ERR_USAGE, "--url-prefix: '*' and ':' mean something else in rules: '%s'",
		       url_prefix);
}

struct headerrules *headerrules_new(enum headertree_host host, const char *url_prefix,
				    struct err *e)
{
	struct headerrules *h = calloc(1, sizeof *h);

	if (h == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	h->tree.host = host;
	buf_init(&h->prefix);
	if (read_prefix(h, url_prefix, e) == 0)
		return h;
	headerrules_free(h);
	return NULL;
}

void headerrules_free(struct headerrules *h)
{
	if (h == NULL)
		return;
	headertree_release(&h->tree);
	buf_release(&h->prefix);
	free(h);
}

/* None for blanks, too: no server takes a field without a value. */
static int find_value(struct headerrules *h, size_t field, const char *text, int *ret,
		      struct err *e)
{
	*ret = HEADERVALUES_NONE;
	if (text == NULL || text[strspn(text, " ")] == '\0')
		return 0;
	/* It would stand for what the '*' of a rule has matched. */
	if (is_cloudflare(h) && strstr(text, ":splat") != NULL)
		return err_set(e, ERR_REFUSED, "':splat' means something else to Cloudflare");
	return headervalues_find(&h->values[field], &h->tree.arena, text, ret, e);
}

int headerrules_add(struct headerrules *h, const struct entry *entry, struct err *e)
{
	const char *const texts[FIELDS] = {entry->cache, entry->type};
	struct headertree_node *n;

	if (headertree_add(&h->tree, entry->path, &n, e) != 0)
		return -1;
	for (size_t f = 0; f < FIELDS; f++) {
		int value;
		if (find_value(h, f, texts[f], &value, e) != 0)
			return err_prefix(e, "'%s': %s", entry->path, field_names[f]);
		if (value != HEADERVALUES_NONE)
			headervalues_add(&n->best[f], (size_t)value);
	}
	return 0;
}

/* --- which rules --------------------------------------------------------------------------------
 */

/* How many rules it takes for this node alone. */
static uint64_t weight(const struct headertree_node *n)
{
	return n->has_alias ? 2 : 1;
}

/*
 * The values that most rules are saved by: each child counts for all of its best ones. This is how
 * routing tables are made small (Draves and others, "Constructing optimal IP routing tables").
 */
static struct headervalues_set most_wanted(const struct headerrules *h, size_t folder, size_t f)
{
	uint64_t scores[HEADERVALUES_MAX] = {0}, most = 0;
	const struct headertree_node *nodes = h->tree.nodes;
	struct headervalues_set best = {.bits = {0}};

	for (size_t i = folder + 1; i < nodes[folder].end; i = nodes[i].end) {
		const struct headertree_node *child = &nodes[i];
		if (headervalues_first(&child->best[f]) == HEADERVALUES_NONE)
			return (struct headervalues_set){.bits = {0}};
		for (size_t v = 0; v < h->values[f].count; v++)
			if (headervalues_has(&child->best[f], v))
				scores[v] += weight(child);
	}
	for (size_t v = 0; v < h->values[f].count; v++)
		most = scores[v] > most ? scores[v] : most;
	for (size_t v = 0; v < h->values[f].count; v++)
		if (scores[v] == most)
			headervalues_add(&best, v);
	return best;
}

/* Whether all files in it are to have the same: then these are its best values. */
static bool take_shared(const struct headerrules *h, size_t folder, struct headertree_node *n)
{
	const struct headertree_node *nodes = h->tree.nodes, *first = &nodes[folder + 1];

	for (size_t i = folder + 1; i < n->end; i = nodes[i].end)
		if (nodes[i].is_mixed ||
		    memcmp(nodes[i].best, first->best, sizeof first->best) != 0)
			return false;
	memcpy(n->best, first->best, sizeof n->best);
	return true;
}

static void choose(struct headerrules *h)
{
	for (size_t i = h->tree.count; i-- > 0;) {
		struct headertree_node *n = &h->tree.nodes[i];
		if (!n->is_folder)
			continue;
		if (!is_cloudflare(h))
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
		int holds[FIELDS]; /* what a rule says of all that is in it, or HEADERVALUES_NONE */
	} around[HEADERTREE_DEPTH_MAX];
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
	urlpath_add(&w->text, path, style(h));
	buf_adds(&w->text, rest);
	if (is_cloudflare(h) && w->text.len - start > HEADERRULES_LINE_MAX)
		return err_set(e, ERR_REFUSED,
			       "'%s' would take a line of over %d characters, more than "
			       "Cloudflare reads",
			       path, HEADERRULES_LINE_MAX);
	buf_addc(&w->text, '\n');
	for (size_t f = 0; f < FIELDS; f++) {
		if (said[f] == HEADERVALUES_NONE)
			continue;
		if (before[f] != HEADERVALUES_NONE)
			buf_addf(&w->text, "  ! %s\n", field_names[f]);
		buf_addf(&w->text, "  %s: %s\n", field_names[f], h->values[f].texts[said[f]]);
	}
	return outfile_gather(w->out, &w->text, e);
}

static bool says_nothing(const int *said)
{
	for (size_t f = 0; f < FIELDS; f++)
		if (said[f] != HEADERVALUES_NONE)
			return false;
	return true;
}

static int put_file(struct walk *w, const struct headertree_node *n, struct err *e)
{
	struct around *in = &w->around[w->depth - 1];
	int said[FIELDS];

	for (size_t f = 0; f < FIELDS; f++) {
		int value = headervalues_first(&n->best[f]);
		said[f] = value != in->holds[f] ? value : HEADERVALUES_NONE;
	}
	if (says_nothing(said))
		return 0;
	in->rules += weight(n);
	if (put_rule(w, n->path, "", said, in->holds, e) != 0)
		return -1;
	if (!n->has_alias)
		return 0;
	(void)headertree_alias(n->path, &w->path);
	if (buf_check(&w->path, e) != 0)
		return -1;
	return put_rule(w, w->path.data, "", said, in->holds, e);
}

static int put_folder(struct walk *w, size_t i, struct err *e)
{
	const struct headerrules *h = w->h;
	const struct headertree_node *n = &h->tree.nodes[i];
	bool can = headertree_can_have_rule(&h->tree, i, strcmp(h->prefix.data, "/") == 0);
	struct around *in = w->depth > 0 ? &w->around[w->depth - 1] : NULL;
	struct around here = {.node = i};
	int said[FIELDS], before[FIELDS];

	for (size_t f = 0; f < FIELDS; f++) {
		before[f] = in != NULL ? in->holds[f] : HEADERVALUES_NONE;
		bool kept = before[f] != HEADERVALUES_NONE &&
			    headervalues_has(&n->best[f], (size_t)before[f]);
		said[f] = kept || !can ? HEADERVALUES_NONE : headervalues_first(&n->best[f]);
		here.holds[f] = said[f] != HEADERVALUES_NONE ? said[f] : before[f];
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
		w->worst = w->h->tree.nodes[a->node].path;
		w->worst_rules = a->rules;
	}
}

static int walk_all(struct walk *w, struct err *e)
{
	const struct headertree *t = &w->h->tree;

	for (size_t i = 0; i < t->count; i++) {
		const struct headertree_node *n = &t->nodes[i];
		while (w->depth > 0 && t->nodes[w->around[w->depth - 1].node].end <= i)
			leave(w);
		if ((n->is_folder ? put_folder(w, i, e) : put_file(w, n, e)) != 0)
			return -1;
	}
	while (w->depth > 0)
		leave(w);
	return 0;
}

/* Whether there are few enough of them. */
static int check_count(struct walk *w, struct err *e)
{
	if (!is_cloudflare(w->h))
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
		 is_cloudflare(w->h) ? "Cloudflare" : "Netlify");
}

int headerrules_write(struct headerrules *h, const struct head *head, struct outfile *out,
		      uint64_t *ret_rules, struct err *e)
{
	struct walk w = {.h = h, .text = BUF_INIT, .path = BUF_INIT};
	int status = -1;

	if (headertree_finish(&h->tree, e) != 0)
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
