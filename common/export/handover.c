#include "swarm/handover.h"

#include <string.h>

#include "swarm/intake.h"
#include "swarm/utc.h"

/* --- what goes together -------------------------------------------------------------------------
 */

static int check_inputs(const struct format_job *job, struct err *e)
{
	const struct format_options *o = job->options;
	const char *const single[] = {job->manifest, job->head, o->tree};
	size_t n = opt_dashes(&o->previous) + opt_dashes(&o->keep) + opt_dashes(&o->delta);

	for (size_t i = 0; i < sizeof single / sizeof *single; i++)
		n += single[i] != NULL && strcmp(single[i], "-") == 0;
	if (n <= 1)
		return 0;
	return err_set(e, ERR_USAGE,
		       "only one of MANIFEST, --head, --tree, --previous, --keep and --delta can "
		       "be standard input");
}

static bool is_input(const char *output, const char *input)
{
	return input != NULL && strcmp(output, "-") != 0 && outfile_is_same(output, input);
}

static bool is_among(const char *output, const struct opt_list *inputs)
{
	for (size_t i = 0; i < inputs->count; i++)
		if (is_input(output, inputs->items[i]))
			return true;
	return false;
}

int handover_check(const struct handover_options *options, struct err *e)
{
	const struct format_options *o = options->job.options;
	const char *output = options->output;

	if (check_inputs(&options->job, e) != 0)
		return -1;
	if (is_input(output, options->job.manifest) || is_input(output, options->job.head) ||
	    is_among(output, &o->previous) || is_among(output, &o->keep) ||
	    is_among(output, &o->delta) || is_among(output, options->keys))
		return err_set(e, ERR_USAGE, "'%s' cannot be both read and written", output);
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static int begin(void *context, const struct header *header, const struct head *head, struct err *e)
{
	return exporter_begin(context, header, head, e);
}

static int put(void *context, const struct entry *entry, struct err *e)
{
	return exporter_add(context, entry, e);
}

/* An earlier release, on its way to the exporter. */
struct earlier {
	struct exporter *x;
	const char *manifest;
	bool keep;
};

static int begin_earlier(void *context, const struct header *header, const struct head *head,
			 struct err *e)
{
	const struct earlier *earlier = context;

	(void)header;
	return exporter_earlier(earlier->x, earlier->manifest, earlier->keep, head, e);
}

static int put_earlier(void *context, const struct entry *entry, struct err *e)
{
	return exporter_earlier_file(((const struct earlier *)context)->x, entry, e);
}

/* What is in the past may have expired. */
static int read_earlier(struct exporter *x, const struct opt_list *manifests, bool keep,
			const struct trust *trust, struct err *e)
{
	struct head head;

	for (size_t i = 0; i < manifests->count; i++) {
		struct earlier earlier = {x, manifests->items[i], keep};
		const struct intake_options in = {.manifest = earlier.manifest,
						  .trust = trust,
						  .now = utc_now(),
						  .expired_too = true};
		const struct intake_sink sink = {&earlier, begin_earlier, put_earlier};
		if (intake_read(&in, &sink, &head, e) != 0)
			return -1;
	}
	return 0;
}

static int read_all(const struct handover_options *o, struct handover *h, struct err *e)
{
	const struct format_options *what = o->job.options;
	const struct intake_options in = {
	    .manifest = o->job.manifest, .head = o->job.head, .trust = o->trust, .now = o->job.now};
	const struct intake_sink sink = {h->exporter, begin, put};

	if (exporter_looks_back(h->exporter) &&
	    (read_earlier(h->exporter, &what->previous, false, o->trust, e) != 0 ||
	     read_earlier(h->exporter, &what->keep, true, o->trust, e) != 0))
		return -1;
	if (intake_read(&in, &sink, &h->head, e) != 0)
		return -1;
	return exporter_end(h->exporter, e);
}

int handover_run(const struct handover_options *options, struct scratch *scratch,
		 struct handover *ret, struct err *e)
{
	const struct outfile_options how = {.force = options->force};
	struct format_job job = options->job;

	*ret = (struct handover){.options = options};
	job.out = ret->out = outfile_open(options->output, &how, scratch, e);
	if (ret->out == NULL || (ret->exporter = exporter_new(&job, e)) == NULL ||
	    read_all(options, ret, e) != 0)
		return -1;
	return outfile_commit(ret->out, e);
}

void handover_release(struct handover *h)
{
	exporter_free(h->exporter);
	outfile_free(h->out);
	*h = (struct handover){.options = NULL};
}

/* --- what was done ------------------------------------------------------------------------------
 */

void handover_describe(struct buf *to, const struct handover *h, bool verbose)
{
	exporter_describe(h->exporter, verbose, to);
	if (h->options->trust == NULL)
		buf_adds(to, "no signature was checked: there is no --trust\n");
}

void handover_format(struct buf *to, const struct handover *h)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_string(&w, "format", h->options->job.options->format);
	jsonl_string(&w, "product", h->head.id.product);
	jsonl_string(&w, "channel", h->head.id.channel);
	jsonl_string(&w, "version", h->head.id.version);
	jsonl_number(&w, "serial", h->head.id.serial);
	jsonl_bool(&w, "genuine", h->options->trust != NULL);
	exporter_members(h->exporter, &w);
	jsonl_close(&w);
	buf_addc(to, '\n');
}
