#include "swarm/exporter.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/glob.h"
#include "swarm/headers.h"
#include "swarm/metalink.h"
#include "swarm/sha256sums.h"
#include "swarm/sri.h"
#include "swarm/text.h"
#include "swarm/torrent.h"
#include "swarm/unsealed.h"
#include "swarm/upload.h"
#include "swarm/workbox.h"

static const struct format *const formats[] = {
    &torrent_format, &metalink_format, &sha256sums_format, &sri_format,
    &workbox_format, &headers_format,  &upload_format,     &unsealed_format,
};

#define FORMATS (sizeof formats / sizeof *formats)

const char *const exporter_names[] = {"torrent", "metalink", "sha256sums", "sri", "workbox",
				      "headers", "upload",   "inventory",  NULL};
const char *const exporter_labels[] = {"public", "origin", "all", NULL};

struct exporter {
	struct format_job job;
	const struct format *format; /* as chosen */
	struct format_state *self;   /* the format's */
	struct glob **only;
	bool labels[LABEL_PRIVATE]; /* that are wanted */
	bool matched;               /* --only, whatever the label */
	uint64_t files, bytes;      /* passed on */
	struct release_id id;
};

/* --- formats and options ------------------------------------------------------------------------
 */

static const struct format *find(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

static bool takes(const struct format *f, const char *option)
{
	if (strcmp(option, "only") == 0 || strcmp(option, "label") == 0)
		return !f->all;
	for (const char *const *o = f->options; *o != NULL; o++)
		if (strcmp(*o, option) == 0)
			return true;
	return false;
}

/* Whether any format takes it: others are of the command. */
static bool is_known(const char *option)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (takes(formats[i], option))
			return true;
	return false;
}

/* Appends "torrent, metalink or upload": the formats that take it. */
static void add_takers(struct buf *to, const char *option)
{
	size_t left = 0;

	for (size_t i = 0; i < FORMATS; i++)
		left += takes(formats[i], option);
	for (size_t i = 0; i < FORMATS; i++) {
		if (!takes(formats[i], option))
			continue;
		left--;
		buf_addf(to, "%s%s", formats[i]->name, left > 1 ? ", " : left == 1 ? " or " : "");
	}
}

int exporter_check(const struct opt *table, const void *values, const char *format, struct err *e)
{
	const struct format *f = find(format);

	for (const struct opt *o = table; o->name != NULL || o->help != NULL; o++) {
		if (o->name == NULL || !is_known(o->name) || !opt_given(o, values) ||
		    takes(f, o->name))
			continue;
		struct buf takers = BUF_INIT;
		add_takers(&takers, o->name);
		if (buf_check(&takers, e) == 0)
			(void)err_set(e, ERR_USAGE, "--%s is for --format %s, not %s", o->name,
				      takers.data, format);
		buf_release(&takers);
		return -1;
	}
	return 0;
}

/* --- a run --------------------------------------------------------------------------------------
 */

static void choose_labels(struct exporter *x, bool public_only)
{
	const char *label = x->job.options->label;

	if (label == NULL)
		label = public_only ? "public" : "all";
	for (enum label l = LABEL_PUBLIC; l < LABEL_PRIVATE; l++)
		x->labels[l] = strcmp(label, "all") == 0 || strcmp(label, label_name(l)) == 0;
}

static int start(struct exporter *x, struct err *e)
{
	x->self = calloc(1, x->format->size);
	if (x->self == NULL)
		return err_nomem(e);
	x->self->job = &x->job;
	buf_init(&x->self->text);
	return x->format->start != NULL ? x->format->start(x->self, e) : 0;
}

struct exporter *exporter_new(const struct format_job *job, struct err *e)
{
	const struct opt_list *only = &job->options->only;
	const struct format *named = find(job->options->format);
	struct exporter *x = calloc(1, sizeof *x);

	if (x == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	x->job = *job;
	choose_labels(x, named->public_only);
	x->only = glob_list_new("--only", only->items, only->count, e);
	if (x->only != NULL)
		x->format = named->choose != NULL ? named->choose(&x->job, e) : named;
	if (x->format != NULL && start(x, e) == 0)
		return x;
	exporter_free(x);
	return NULL;
}

void exporter_free(struct exporter *x)
{
	if (x == NULL)
		return;
	if (x->format != NULL && x->self != NULL) {
		if (x->format->stop != NULL)
			x->format->stop(x->self);
		buf_release(&x->self->text);
		free(x->self);
	}
	glob_list_free(x->only, x->job.options->only.count);
	free(x);
}

bool exporter_looks_back(const struct exporter *x)
{
	return x->format->earlier != NULL;
}

int exporter_earlier(struct exporter *x, const char *manifest, bool keep, const struct head *head,
		     struct err *e)
{
	return x->format->earlier(x->self, manifest, keep, head, e);
}

int exporter_earlier_file(struct exporter *x, const struct entry *entry, struct err *e)
{
	return x->format->earlier_file(x->self, entry, e);
}

int exporter_begin(struct exporter *x, const struct header *header, const struct head *head,
		   struct err *e)
{
	x->id = head->id;
	return x->format->begin != NULL ? x->format->begin(x->self, header, head, e) : 0;
}

int exporter_add(struct exporter *x, const struct entry *entry, struct err *e)
{
	size_t n = x->job.options->only.count, i;

	if (n > 0 && !glob_list_match(x->only, n, entry->path, false, GLOB_NEGATES_BELOW, &i))
		return 0;
	x->matched = true;
	if (!x->labels[entry->label])
		return 0;
	x->files++;
	x->bytes += entry->size;
	return x->format->add(x->self, entry, e);
}

int exporter_end(struct exporter *x, struct err *e)
{
	if (!x->matched)
		return err_set(e, ERR_USAGE, "--only matches no file of the manifest");
	if (x->files == 0)
		return err_set(e, ERR_REFUSED, "%s %s has no %s file%s", x->id.product,
			       x->id.version, x->labels[LABEL_PUBLIC] ? "public" : "origin",
			       x->job.options->only.count > 0 ? " that --only matches" : "");
	if (x->format->end != NULL && x->format->end(x->self, e) != 0)
		return -1;
	return outfile_drain(x->job.out, &x->self->text, e);
}

void exporter_describe(const struct exporter *x, bool verbose, struct buf *text)
{
	buf_addf(text, "%s %s (%s, serial %llu): ", x->id.product, x->id.version, x->id.channel,
		 (unsigned long long)x->id.serial);
	text_plural(text, x->files, "file");
	buf_adds(text, ", ");
	text_bytes(text, x->bytes);
	buf_addc(text, '\n');
	if (x->format->describe != NULL)
		x->format->describe(x->self, verbose, text);
}

void exporter_members(const struct exporter *x, struct jsonl_writer *w)
{
	jsonl_number(w, "files", x->files);
	jsonl_number(w, "bytes", x->bytes);
	if (x->format->members != NULL)
		x->format->members(x->self, w);
}
