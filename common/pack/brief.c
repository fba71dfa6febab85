#include "swarm/brief.h"

#include <string.h>
#include <unistd.h>

#include "swarm/body.h"
#include "swarm/bundle.h"
#include "swarm/document.h"
#include "swarm/header.h"
#include "swarm/io.h"
#include "swarm/num.h"
#include "swarm/part.h"
#include "swarm/utc.h"

static bool is_dash(const char *word)
{
	return word != NULL && strcmp(word, "-") == 0;
}

static int check_inputs(const struct brief_words *w, const char *tree, struct err *e)
{
	size_t n = opt_dashes(&w->rules) + opt_dashes(&w->explain) + opt_dashes(&w->logs);

	if (n + is_dash(tree) + is_dash(w->like) + is_dash(w->against) <= 1)
		return 0;
	return err_set(e, ERR_USAGE,
		       "only one of TREE, --rules, --explain, --like, --against and --access-log "
		       "can be standard input");
}

static int check_explain(const struct brief_words *w, struct err *e)
{
	if (w->strip)
		return err_set(e, ERR_USAGE,
			       "--explain takes names as they are in the release: leave out "
			       "--strip-components");
	if (w->output == NULL && w->bundle == NULL && w->report == NULL && w->cache == NULL &&
	    w->against == NULL && w->logs.count == 0 && !w->dry_run)
		return 0;
	return err_set(e, ERR_USAGE,
		       "--explain does nothing else: leave out outputs, --dry-run, --against and "
		       "--access-log");
}

static int check_outputs(const struct brief_words *w, bool json, struct err *e)
{
	bool inventory_there = !w->dry_run && (w->output == NULL || is_dash(w->output));

	if (w->bundle != NULL && !bundle_is_name(w->bundle))
		return err_set(
		    e, ERR_USAGE,
		    "cannot tell the format of the bundle '%s': it ends in none of .tar, "
		    ".tar.gz, .tar.zst, .zip and /",
		    w->bundle);
	if (json && inventory_there)
		return err_set(e, ERR_USAGE,
			       "--json needs -o: the inventory goes to standard output");
	if (json && is_dash(w->report))
		return err_set(e, ERR_USAGE,
			       "--json needs a file for --report: that goes to standard output");
	if (inventory_there && is_dash(w->report))
		return err_set(e, ERR_USAGE,
			       "--report needs a file: the inventory goes to standard output");
	return 0;
}

/* Of options that are there, the first one, by its name; NULL: none is. */
struct brief_option {
	bool given;
	const char *name;
};

static const char *first_given(const struct brief_option *options, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (options[i].given)
			return options[i].name;
	return NULL;
}

#define FIRST_GIVEN(options) first_given(options, sizeof(options) / sizeof *(options))

static int check_merge(const struct brief_words *w, const struct opt_list *parts, bool json,
		       struct err *e)
{
	const struct brief_option others[] = {{w->shard != NULL, "shard"},
					      {w->rules.count > 0, "rules"},
					      {w->bundle != NULL, "bundle"},
					      {w->piece_length != NULL, "piece-length"},
					      {w->like != NULL, "like"},
					      {w->strip, "strip-components"},
					      {w->no_sha256, "no-sha256"},
					      {w->explain.count > 0, "explain"},
					      {w->dry_run, "dry-run"},
					      {w->report != NULL, "report"},
					      {w->cache != NULL, "cache"},
					      {w->against != NULL, "against"},
					      {w->no_new_public, "no-new-public"},
					      {w->logs.count > 0, "access-log"},
					      {w->url_prefixes.count > 0, "url-prefix"},
					      {w->hot != NULL, "hot"}};
	const char *name = FIRST_GIVEN(others);

	if (name != NULL)
		return err_set(e, ERR_USAGE,
			       "--merge takes nothing but parts, which know of all else: leave out "
			       "--%s",
			       name);
	if (parts->count == 0)
		return err_set(e, ERR_USAGE, "missing operand: PART");
	return check_outputs(w, json, e);
}

/* A machine that reads its share alone can tell nothing of the others' content. */
static int check_shard(const struct brief_words *w, struct err *e)
{
	struct part_shard shard;
	const struct brief_option others[] = {{w->explain.count > 0, "explain"},
					      {w->bundle != NULL, "bundle"},
					      {w->report != NULL, "report"}};
	const char *name = w->shard != NULL ? FIRST_GIVEN(others) : NULL;

	if (name != NULL)
		return err_set(e, ERR_USAGE,
			       "--shard reads a share of the content only: leave out --%s, or give "
			       "it to a run without --shard",
			       name);
	if (w->shard == NULL || part_parse_shard(w->shard, &shard))
		return 0;
	return err_set(e, ERR_USAGE,
		       "--shard needs K/N with K from 1 to N and N up to %d, not '%s'",
		       PART_SHARDS_MAX, w->shard);
}

int brief_check(const struct brief_words *words, const struct opt_list *operands, bool json,
		struct err *e)
{
	const struct brief_words *w = words;
	const char *tree = operands->count > 0 ? operands->items[0] : NULL;

	if (w->merge)
		return check_merge(w, operands, json, e);
	if (operands->count > 1)
		return err_set(e, ERR_USAGE, "one operand too many: '%s'", operands->items[1]);
	if (w->rules.count == 0)
		return err_set(e, ERR_USAGE, "no rules, no release: give --rules FILE");
	if (tree == NULL && w->explain.count == 0)
		return err_set(e, ERR_USAGE, "missing operand: TREE");
	if (check_inputs(w, tree, e) != 0 || check_shard(w, e) != 0)
		return -1;
	if (w->explain.count > 0)
		return check_explain(w, e);
	if (w->like != NULL && w->piece_length != NULL)
		return err_set(e, ERR_USAGE, "--like and --piece-length exclude each other");
	if (w->no_new_public && w->against == NULL)
		return err_set(e, ERR_USAGE, "--no-new-public needs --against MANIFEST");
	if (w->cache != NULL && (is_dash(w->cache) || *w->cache == '\0'))
		return err_set(e, ERR_USAGE, "--cache needs the name of a file");
	if (w->cache != NULL && w->dry_run)
		return err_set(e, ERR_USAGE, "--dry-run reads no content: leave out --cache");
	if (w->hot != NULL && w->logs.count == 0)
		return err_set(e, ERR_USAGE, "--hot needs --access-log FILE");
	if (w->url_prefixes.count > 0 && w->logs.count == 0)
		return err_set(e, ERR_USAGE, "--url-prefix needs --access-log FILE");
	return check_outputs(w, json, e);
}

static int read_piece_length(const char *word, uint64_t *ret, struct err *e)
{
	if (word == NULL || strcmp(word, "auto") == 0)
		return 0;
	if (num_parse_size(word, ret) && header_is_piece_length(*ret))
		return 0;
	return err_set(e, ERR_USAGE,
		       "--piece-length needs a power of two from 16K to 128M, or auto, not '%s'",
		       word);
}

static int read_like(const char *path, uint64_t *ret_piece_length, struct err *e)
{
	struct body *body = NULL;
	int status = -1;
	struct document *d = document_open(path, e);

	if (d == NULL)
		return -1;
	body = document_body(d, e);
	if (body != NULL) {
		*ret_piece_length = body_header(body)->piece_length;
		status = 0;
	}
	body_close(body);
	document_close(d);
	return status;
}

/* A long run is not to find at its end that there is nothing to compare with. */
static int check_readable(const char *path, struct err *e)
{
	if (path == NULL || is_dash(path))
		return 0;
	int fd = io_open(path, e);
	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}

int brief_read(const struct brief_words *words, struct pack_options *ret, struct err *e)
{
	ret->like = words->like;
	ret->against = words->against;
	ret->no_new_public = words->no_new_public;
	ret->logs = (struct pack_list){words->logs.items, words->logs.count};
	ret->url_prefixes =
	    (struct pack_list){words->url_prefixes.items, words->url_prefixes.count};
	ret->dry_run = words->dry_run;
	ret->plain = !words->no_sha256;
	ret->inventory = words->output != NULL ? words->output : "-";
	ret->bundle = words->bundle;
	ret->report = words->report;
	ret->cache = words->cache;
	ret->hot = BRIEF_HOT;
	if (words->shard != NULL)
		(void)part_parse_shard(words->shard, &ret->shard);
	if (words->hot != NULL && !num_parse_share(words->hot, &ret->hot))
		return err_set(e, ERR_USAGE,
			       "--hot needs a fraction above 0 and up to 1, such as 0.95, not '%s'",
			       words->hot);
	if (read_piece_length(words->piece_length, &ret->piece_length, e) != 0)
		return -1;
	if (words->like != NULL && read_like(words->like, &ret->piece_length, e) != 0)
		return -1;
	if (check_readable(words->against, e) != 0)
		return -1;
	return utc_epoch(BUNDLE_MTIME, &ret->mtime, e);
}
