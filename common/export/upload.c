#include "swarm/upload.h"

#include <string.h>

#include "swarm/prune.h"
#include "swarm/publish.h"
#include "swarm/text.h"

/* Whether a plan can say the name of a file: it holds UTF-8 on one line. */
static int check_name(const char *what, const char *name, struct err *e)
{
	size_t len = name != NULL ? strlen(name) : 0;

	for (size_t i = 0; i < len;) {
		unsigned long point = 0;
		size_t n = text_utf8(name + i, len - i, &point);
		if (n == 0 || point < 0x20 || (point >= 0x7F && point <= 0x9F))
			return err_set(e, ERR_USAGE,
				       "a plan cannot name %s '%s': it is not UTF-8 without "
				       "control characters",
				       what, name);
		i += n;
	}
	return 0;
}

static int check_document(const char *what, const char *name, struct err *e)
{
	if (name != NULL && strcmp(name, "-") == 0)
		return err_set(e, ERR_USAGE,
			       "%s is to be uploaded as well: it cannot be standard input", what);
	return check_name(what, name, e);
}

static int check_publish(const struct format_job *job, struct err *e)
{
	const struct format_options *o = job->options;

	if (o->keep.count > 0)
		return err_set(e, ERR_USAGE, "--keep is of no use without --prune");
	if (o->tree == NULL)
		return err_set(e, ERR_USAGE, "where is the content? give --tree");
	if (check_document("MANIFEST", job->manifest, e) != 0 ||
	    check_document("--head", job->head, e) != 0 || check_name("--tree", o->tree, e) != 0 ||
	    check_name("--payloads", o->payloads, e) != 0)
		return -1;
	for (size_t i = 0; i < o->delta.count; i++)
		if (check_document("--delta", o->delta.items[i], e) != 0)
			return -1;
	return 0;
}

static int check_prune(const struct format_options *o, struct err *e)
{
	if (o->tree != NULL)
		return err_set(e, ERR_USAGE, "--tree is of no use with --prune");
	if (o->previous.count == 0)
		return err_set(e, ERR_USAGE,
			       "--prune deletes what earlier releases have: give --previous");
	return 0;
}

static const struct format *choose(const struct format_job *job, struct err *e)
{
	if (job->options->prune)
		return check_prune(job->options, e) == 0 ? &prune_format : NULL;
	return check_publish(job, e) == 0 ? &publish_format : NULL;
}

static const char *const options[] = {"tree",     "delta", "payloads", "prefix", "layout",
				      "previous", "prune", "keep",     NULL};

const struct format upload_format = {
    .name = "upload",
    .options = options,
    .all = true,
    .choose = choose,
};
