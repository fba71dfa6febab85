/* Runs of swarmexport's formats for unit tests: options and files in, the text out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/exporter.h"

#include "folder.h"

#define ZEROS              "0000000000000000000000000000000000000000000000000000000000000000"
#define INTEGRITY_OF_ZEROS "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A public file, with a plain digest of zeros. */
static inline struct entry make_entry(const char *name)
{
	return (struct entry){.path = name, .has_sha256 = true, .hot = ENTRY_NOT_HOT};
}

static inline int run_export(struct exporter *x, const struct entry *entries, size_t count,
			     struct err *e)
{
	const struct header header = {.kind = HEADER_MANIFEST, .piece_length = 16384};
	const struct head head = {
	    .id = {.product = "farm", .channel = "stable", .version = "1.0.0", .serial = 1},
	    .issued = 1795437296,
	};

	if (exporter_begin(x, &header, &head, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (exporter_add(x, &entries[i], e) != 0)
			return -1;
	return exporter_end(x, e);
}

/*
 * What these files become, which the caller frees; NULL with `e` filled where that is refused.
 * `summary` gets what is told after it, unless it is NULL.
 */
static inline char *export_text(const struct format_options *options, const struct entry *entries,
				size_t count, struct buf *summary, struct err *e)
{
	struct outfile *out = open_output();
	const struct format_job job = {
	    .options = options, .manifest = "farm.manifest", .out = out, .threads = 1};
	struct buf text = BUF_INIT;
	struct exporter *x = exporter_new(&job, e);

	if (x == NULL || run_export(x, entries, count, e) != 0) {
		exporter_free(x);
		outfile_free(out);
		return NULL;
	}
	if (summary != NULL)
		exporter_describe(x, true, summary);
	exporter_free(x);
	read_output(out, &text);
	return buf_detach(&text);
}

static inline void assert_exports(const struct format_options *options, const struct entry *entries,
				  size_t count, const char *want)
{
	struct err e;
	char *text = export_text(options, entries, count, NULL, &e);

	if (text == NULL)
		fail_msg("%s", e.msg);
	assert_string_equal(text, want);
	free(text);
}

static inline void assert_no_export(const struct format_options *options,
				    const struct entry *entries, size_t count, enum err_code code,
				    const char *want)
{
	struct err e;

	assert_null(export_text(options, entries, count, NULL, &e));
	assert_int_equal(e.code, code);
	assert_string_equal(e.msg, want);
}
