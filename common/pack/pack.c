#include "swarm/pack.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/body.h"
#include "swarm/bundle.h"
#include "swarm/content.h"
#include "swarm/document.h"
#include "swarm/entry.h"
#include "swarm/num.h"
#include "swarm/outfile.h"
#include "swarm/path.h"
#include "swarm/pool.h"

#define WRITE_BLOCK ((size_t)256 * 1024)

/* --- the inventory ------------------------------------------------------------------------------
 */

static int count_bytes(const struct scan *scan, uint64_t *ret, struct err *e)
{
	*ret = 0;
	for (size_t i = 0; i < scan->count; i++)
		if (!num_add(*ret, scan->files[i].size, ret) || *ret > NUM_MAX)
			return err_set(e, ERR_REFUSED,
				       "the files add up to more than 2^53-1 bytes");
	return 0;
}

static void make_entry(const struct scan_file *file, const struct filehash_digests *digests,
		       struct entry *ret)
{
	*ret = (struct entry){.path = file->path,
			      .size = file->size,
			      .label = file->label,
			      .has_sha256 = digests->has_sha256,
			      .pieces = (const uint8_t *)digests->layer.data,
			      .piece_count = digests->layer.len / SHA256_SIZE,
			      .exec = file->exec,
			      .type = file->rule != NULL ? file->rule->type : NULL,
			      .cache = file->rule != NULL ? file->rule->cache : NULL,
			      .hot = ENTRY_NOT_HOT};
	memcpy(ret->sha256, digests->sha256, SHA256_SIZE);
	memcpy(ret->root, digests->root, SHA256_SIZE);
}

static int write_inventory(const struct content *c, struct outfile *out, struct err *e)
{
	struct header header = {.kind = HEADER_INVENTORY,
				.piece_length = c->hash.piece_length,
				.files = c->scan->count};
	struct buf text = BUF_INIT;
	int status = -1;

	if (count_bytes(c->scan, &header.bytes, e) != 0)
		return -1;
	header_format(&text, &header);
	buf_addc(&text, '\n');
	for (size_t i = 0; i < c->scan->count; i++) {
		struct entry entry;
		make_entry(&c->scan->files[i], &c->digests[i], &entry);
		entry_format(&text, &entry);
		buf_addc(&text, '\n');
		if (text.len < WRITE_BLOCK)
			continue;
		if (buf_check(&text, e) != 0 || outfile_write(out, text.data, text.len, e) != 0)
			goto out;
		buf_clear(&text);
	}
	if (buf_check(&text, e) == 0)
		status = outfile_write(out, text.data, text.len, e);
out:
	buf_release(&text);
	return status;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* Opens the outputs, fills and commits them. */
static int produce(struct content *c, const struct pack_options *options, struct scratch *scratch,
		   struct err *e)
{
	struct bundle_options how = {options->force, options->mtime, options->threads};
	struct outfile_options out = {.force = options->force};
	int status = -1;
	struct outfile *inventory = outfile_open(options->inventory, &out, scratch, e);

	if (inventory == NULL)
		goto out;
	if (options->bundle != NULL &&
	    (c->bundle = bundle_open(options->bundle, &how, scratch, e)) == NULL)
		goto out;
	if (content_read(c, e) != 0 || write_inventory(c, inventory, e) != 0)
		goto out;
	if (c->bundle != NULL && bundle_sync(c->bundle, e) != 0)
		goto out;
	if (outfile_sync(inventory, e) != 0)
		goto out;
	if (c->bundle != NULL && bundle_commit(c->bundle, e) != 0)
		goto out;
	status = outfile_commit(inventory, e);
out:
	bundle_free(c->bundle);
	c->bundle = NULL;
	outfile_free(inventory);
	return status;
}

int pack_run(struct source *source, const struct scan *scan, const struct pack_options *options,
	     struct scratch *scratch, struct err *e)
{
	struct content c = {.source = source,
			    .scan = scan,
			    .hash = {options->piece_length, options->plain},
			    .progress = options->progress};
	uint64_t total = 0;
	int status = -1;

	if (count_bytes(scan, &total, e) != 0)
		return -1;
	c.digests = calloc(scan->count, sizeof *c.digests);
	if (c.digests == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < scan->count; i++)
		buf_init(&c.digests[i].layer);
	c.pool = pool_new(options->threads, e);
	if (c.pool != NULL) {
		progress_begin(options->progress, "packing", total);
		status = produce(&c, options, scratch, e);
		progress_end(options->progress);
	}
	pool_free(c.pool);
	for (size_t i = 0; i < scan->count; i++)
		filehash_release(&c.digests[i]);
	free(c.digests);
	return status;
}

int pack_like(const char *path, uint64_t *ret_piece_length, struct err *e)
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

/* --- where outputs may stand --------------------------------------------------------------------
 */

/* The folder that `path` is to stand in, by its real name; NULL if there is none yet. */
static char *real_folder(const char *path)
{
	char *copy = strdup(path);
	char *real = copy != NULL ? realpath(dirname(copy), NULL) : NULL;

	free(copy);
	return real;
}

/* The part of `path` below `folder`, both real names: "" for the folder itself; NULL if outside. */
static const char *part_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len > 0 && folder[len - 1] == '/')
		len--;
	if (strncmp(path, folder, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path[len] == '/' ? path + len + 1 : path + len;
}

/* Whether the rules keep a file at home that would have this name in the tree. */
static bool stays_private(const struct scan_options *options, const char *folder, const char *path)
{
	struct rules_verdict verdict = {.labelled = false};
	struct buf name = BUF_INIT;
	char *copy = strdup(path);

	if (copy != NULL) {
		buf_addf(&name, "%s%s%s", folder, *folder != '\0' ? "/" : "", basename(copy));
		const char *inside = name.failed ? NULL : path_strip(name.data, options->strip);
		if (inside != NULL)
			rules_decide(options->rules, inside, path[strlen(path) - 1] == '/',
				     &verdict);
	}
	free(copy);
	buf_release(&name);
	return verdict.labelled && verdict.label == LABEL_PRIVATE;
}

static int check_output(const char *tree, const struct scan_options *options, const char *path,
			struct err *e)
{
	/* Of a link, the place that it leads to counts. */
	char *real = realpath(path, NULL);
	char *folder = real_folder(real != NULL ? real : path);
	const char *inside = folder != NULL ? part_below(folder, tree) : NULL;
	int status = 0;

	if (inside != NULL && !stays_private(options, inside, path))
		status = err_set(e, ERR_USAGE,
				 "the output '%s' would lie in the tree that is packed: write it "
				 "elsewhere, or label it private",
				 path);
	free(real);
	free(folder);
	return status;
}

/* An output that is also an input, or the other output, would be lost. */
static int check_loss(const char *output, const char *other, const char *what, struct err *e)
{
	if (output == NULL || other == NULL || !outfile_is_same(output, other))
		return 0;
	return err_set(e, ERR_USAGE, "the output '%s' is %s as well", output, what);
}

static bool holds(const char *folder, const char *path)
{
	char *real = realpath(path, NULL);
	bool inside = real != NULL && part_below(real, folder) != NULL;

	free(real);
	return inside;
}

/* A folder that is replaced takes all with it that stands in it. */
static int check_folder(const struct source *source, const struct rules *rules,
			const char *inventory, const char *bundle, struct err *e)
{
	char *replaced = realpath(bundle, NULL);
	char *listed = real_folder(inventory);
	const char *lost = NULL;

	if (replaced == NULL)
		goto out;
	if (strcmp(inventory, "-") != 0 && listed != NULL && part_below(listed, replaced) != NULL)
		lost = "the inventory";
	for (size_t i = 0; i < rules_count(rules) && lost == NULL; i++)
		if (holds(replaced, rules_get(rules, i)->place.file))
			lost = "a file of rules";
	if (holds(replaced, "."))
		lost = "the current directory";
	if (holds(replaced, source_name(source)))
		lost = "what is packed";
out:
	free(replaced);
	free(listed);
	return lost == NULL
		   ? 0
		   : err_set(e, ERR_USAGE, "the bundle '%s' would replace %s", bundle, lost);
}

int pack_check_outputs(const struct source *source, const struct scan_options *options,
		       const char *inventory, const char *bundle, struct err *e)
{
	char *tree = source_is_directory(source) ? realpath(source_name(source), NULL) : NULL;
	int status = 0;

	if (check_loss(bundle, inventory, "the inventory", e) != 0 ||
	    check_loss(inventory, source_name(source), "what is packed", e) != 0 ||
	    check_loss(bundle, source_name(source), "what is packed", e) != 0)
		status = -1;
	for (size_t i = 0; i < rules_count(options->rules) && status == 0; i++) {
		const char *file = rules_get(options->rules, i)->place.file;
		if (check_loss(inventory, file, "a file of rules", e) != 0 ||
		    check_loss(bundle, file, "a file of rules", e) != 0)
			status = -1;
	}
	if (status == 0 && tree != NULL && strcmp(inventory, "-") != 0)
		status = check_output(tree, options, inventory, e);
	if (status == 0 && tree != NULL && bundle != NULL)
		status = check_output(tree, options, bundle, e);
	if (status == 0 && bundle != NULL && bundle[strlen(bundle) - 1] == '/')
		status = check_folder(source, options->rules, inventory, bundle, e);
	free(tree);
	return status;
}
