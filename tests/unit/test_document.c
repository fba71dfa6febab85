#define _GNU_SOURCE /* memfd_create() */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/document.h"
#include "swarm/listing.h"

#define INVENTORY "{\"swarm\":\"inventory/1\",\"piece_length\":16384,\"files\":1,\"bytes\":0}\n"
#define MANIFEST                                                                                   \
	"{\"swarm\":\"manifest/1\",\"product\":\"farm\",\"channel\":\"stable\",\"version\":\"1\"," \
	"\"serial\":1,\"piece_length\":16384,\"files\":1,\"bytes\":0}\n"
#define LINE "{\"path\":\"a\",\"size\":0,\"label\":\"public\"}\n"
#define DELTA                                                                         \
	"{\"swarm\":\"delta/1\",\"product\":\"farm\",\"channel\":\"stable\","         \
	"\"from\":{\"version\":\"1\",\"serial\":1,\"sha256\":\"" A64 "\"},"           \
	"\"to\":{\"version\":\"2\",\"serial\":2,\"sha256\":\"" A64 "\"},"             \
	"\"removes\":1,\"files\":1,\"header\":{\"swarm\":\"manifest/1\","             \
	"\"product\":\"farm\",\"channel\":\"stable\",\"version\":\"2\",\"serial\":2," \
	"\"piece_length\":16384,\"files\":1,\"bytes\":0}}\n"
#define A64     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define CHANGES "{\"file\":{\"path\":\"a\",\"size\":0,\"label\":\"public\"}}\n{\"remove\":\"b\"}\n"
#define ENVELOPE                                                                  \
	"{\"payloadType\":\"application/vnd.in-toto+json\",\"payload\":\"aGk=\"," \
	"\"signatures\":[{\"sig\":\"\"}]}"

static int source = -1;

/* The name of a file with these bytes. */
static const char *file_of(const char *text, size_t len)
{
	static char path[64];

	if (source >= 0)
		(void)close(source);
	source = memfd_create("document", MFD_CLOEXEC);
	assert_true(source >= 0);
	assert_int_equal(write(source, text, len), len);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", source);
	return path;
}

static int close_file(void **state)
{
	(void)state;
	if (source >= 0)
		(void)close(source);
	source = -1;
	return 0;
}

static struct document *open_text(const char *text)
{
	struct err e = {.code = ERR_NONE};
	struct document *d = document_open(file_of(text, strlen(text)), &e);

	if (d == NULL)
		fail_msg("%s", e.msg);
	return d;
}

/* `message` stands behind the name. */
static void assert_rejected(const char *text, size_t len, const char *message)
{
	struct err e = {.code = ERR_NONE};
	const char *path = file_of(text, len);
	struct document *d = document_open(path, &e);

	if (d != NULL)
		fail_msg("%s was taken", text);
	assert_int_equal(e.code, ERR_MALFORMED);
	const char *name = strstr(e.msg, path);
	assert_non_null(name);
	assert_string_equal(name + strlen(path), message);
}

static void assert_payload(struct document *d, const char *want)
{
	struct envelope v;
	struct err e = {.code = ERR_NONE};

	envelope_init(&v);
	if (document_envelope(d, &v, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(v.payload.data, want);
	envelope_release(&v);
}

static void assert_files(struct document *d, size_t want)
{
	struct listing l;
	struct err e = {.code = ERR_NONE};
	struct body *b = document_body(d, &e);

	if (b == NULL || listing_read(b, &l, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(l.count, want);
	assert_int_equal(l.bytes, document_body_bytes(d));
	listing_release(&l);
	body_close(b);
}

static void document_tells_what_it_is(void **state)
{
	struct envelope v;
	struct err e = {.code = ERR_NONE};

	(void)state;
	struct document *d = open_text(INVENTORY LINE);
	assert_int_equal(document_kind(d), DOCUMENT_INVENTORY);
	assert_int_equal(document_body_bytes(d), strlen(INVENTORY LINE));
	assert_files(d, 1);
	envelope_init(&v);
	assert_int_equal(document_envelope(d, &v, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	envelope_release(&v);
	document_close(d);

	d = open_text(MANIFEST LINE ENVELOPE "\n");
	assert_int_equal(document_kind(d), DOCUMENT_MANIFEST);
	assert_int_equal(document_body_bytes(d), strlen(MANIFEST LINE));
	assert_payload(d, "hi");
	/* The body can be read more than once, and the envelope at any time. */
	assert_files(d, 1);
	assert_files(d, 1);
	assert_payload(d, "hi");
	document_close(d);

	for (int feed = 0; feed < 2; feed++) {
		d = open_text(feed == 1 ? ENVELOPE "\n" : ENVELOPE);
		assert_int_equal(document_kind(d), DOCUMENT_HEAD);
		assert_int_equal(document_body_bytes(d), 0);
		assert_payload(d, "hi");
		assert_null(document_body(d, &e));
		assert_int_equal(e.code, ERR_USAGE);
		document_close(d);
	}
	document_close(NULL);
}

static void assert_changes(struct document *d, uint64_t want)
{
	struct arena arena = ARENA_INIT;
	struct delta_line line;
	struct err e = {.code = ERR_NONE};
	uint8_t digest[SHA256_SIZE];
	uint64_t count = 0, bytes = 0;
	struct recipe *r = document_recipe(d, &e);

	while (r != NULL && recipe_next(r, &arena, &line, &e) > 0)
		count++;
	if (e.code != ERR_NONE)
		fail_msg("%s", e.msg);
	assert_int_equal(count, want);
	recipe_digest(r, digest, &bytes);
	assert_int_equal(bytes, document_body_bytes(d));
	arena_release(&arena);
	recipe_close(r);
}

static void document_is_a_delta_signed_or_not(void **state)
{
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		struct err e = {.code = ERR_NONE};
		struct envelope v;
		struct document *d =
		    open_text(is_signed == 1 ? DELTA CHANGES ENVELOPE "\n" : DELTA CHANGES);
		assert_int_equal(document_kind(d), DOCUMENT_DELTA);
		assert_int_equal(document_is_signed(d), is_signed == 1);
		assert_int_equal(document_body_bytes(d), strlen(DELTA CHANGES));
		/* More than once. */
		assert_changes(d, 2);
		assert_changes(d, 2);
		assert_null(document_body(d, &e));
		assert_int_equal(e.code, ERR_USAGE);
		envelope_init(&v);
		if (is_signed == 1) {
			assert_payload(d, "hi");
		} else {
			assert_int_equal(document_envelope(d, &v, &e), -1);
			assert_int_equal(e.code, ERR_UNTRUSTED);
			assert_non_null(strstr(e.msg, "' is a delta that is not signed"));
		}
		envelope_release(&v);
		document_close(d);
	}
	(void)state;
}

/* However a delta ends, its own lines are told from an envelope. */
static void document_tells_the_last_line_of_a_delta(void **state)
{
	static const struct {
		const char *last;
		bool is_signed;
	} cases[] = {
	    {"", false},
	    {"{\"remove\":\"b\"}\n", false},
	    {"{\"file\":{}}\n", false},
	    {"{\"swarm\":\"delta/1\"}\n", false},
	    {ENVELOPE "\n", true},
	    {" " ENVELOPE "\n", true},
	    {"{\"signatures\":[]}\n", true},
	    {"\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = BUF_INIT;
		buf_adds(&b, DELTA);
		buf_adds(&b, cases[i].last);
		struct document *d = open_text(b.data);
		assert_int_equal(document_is_signed(d), cases[i].is_signed);
		assert_int_equal(document_body_bytes(d),
				 cases[i].is_signed ? strlen(DELTA) : b.len);
		document_close(d);
		/* Whatever it is, it is cut off without its line feed. */
		buf_truncate(&b, b.len - 1);
		if (cases[i].last[0] != '\n')
			assert_rejected(b.data, b.len, "' has no line feed: is it cut off?");
		buf_release(&b);
	}
}

/* A line of its own may be longer than any envelope. */
static void document_delta_may_end_in_a_long_line(void **state)
{
	(void)state;
	for (size_t len = ENVELOPE_MAX - 1; len <= ENVELOPE_MAX + 3; len++) {
		struct buf b = BUF_INIT;
		buf_adds(&b, DELTA);
		size_t start = b.len;
		buf_adds(&b, "{\"file\":");
		while (b.len - start < len)
			buf_addc(&b, 'x');
		buf_addc(&b, '\n');
		struct document *d = open_text(b.data);
		assert_false(document_is_signed(d));
		assert_int_equal(document_body_bytes(d), b.len);
		document_close(d);
		buf_release(&b);
	}
}

static void document_of_another_kind_is_no_recipe(void **state)
{
	static const char *const others[] = {INVENTORY LINE, MANIFEST LINE ENVELOPE "\n", ENVELOPE};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct err e = {.code = ERR_NONE};
		struct document *d = open_text(others[i]);
		assert_int_equal(document_is_signed(d), i > 0);
		assert_null(document_recipe(d, &e));
		assert_int_equal(e.code, ERR_USAGE);
		document_close(d);
	}
}

static void document_rejects_what_it_does_not_know(void **state)
{
	static const char *const others[] = {
	    "\n",
	    "[]",
	    "x",
	    "{\"swarm\":\"patch/1\"}\n",
	    "{\"swarm\": \"inventory/1\"}\n",
	    "\xEF\xBB\xBF{}",
	    "{\"swarm\"",
	    "PK\3\4",
	    "\0",
	};

	(void)state;
	assert_rejected("", 0, "' is empty");
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_rejected(others[i], strlen(others[i]) > 0 ? strlen(others[i]) : 1,
				"' is no inventory, manifest, delta or head");
}

static void document_tells_that_a_manifest_is_cut_off(void **state)
{
	static const char good[] = MANIFEST LINE ENVELOPE "\n";

	(void)state;
	document_close(open_text(good));
	assert_rejected(MANIFEST, strlen(MANIFEST) - 1,
			"' does not end in an envelope: is it cut off?");
	assert_rejected(MANIFEST LINE, strlen(MANIFEST LINE) - 1,
			"' has no line feed: is it cut off?");
	assert_rejected(good, sizeof good - 2, "' has no line feed: is it cut off?");
	/* Cut anywhere, it is not what it was: some step says so. */
	for (size_t len = 0; len < sizeof good - 1; len++) {
		struct err e = {.code = ERR_NONE};
		struct envelope v;
		struct document *d = document_open(file_of(good, len), &e);
		envelope_init(&v);
		if (d != NULL)
			assert_int_equal(document_envelope(d, &v, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
		envelope_release(&v);
		document_close(d);
	}
}

static void document_without_an_envelope_says_so(void **state)
{
	struct envelope v;
	struct err e = {.code = ERR_NONE};

	(void)state;
	struct document *d = open_text(MANIFEST LINE);
	envelope_init(&v);
	assert_int_equal(document_envelope(d, &v, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_non_null(strstr(e.msg, "': the last line is no envelope: "));
	envelope_release(&v);
	document_close(d);
}

static void document_head_is_one_line(void **state)
{
	(void)state;
	assert_rejected("{}\n" ENVELOPE "\n", strlen("{}\n" ENVELOPE "\n"),
			"' is no inventory, manifest, delta or head: a head is one line");
	assert_rejected(ENVELOPE "\n\n", strlen(ENVELOPE "\n\n"),
			"' is no inventory, manifest, delta or head: a head is one line");
}

/* Other tools format envelopes as they like, also at their start. */
static void document_head_may_start_with_white_space(void **state)
{
	static const size_t widths[] = {1, 18, 19, 20, 21, 60};

	(void)state;
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		struct buf b = BUF_INIT;
		buf_addf(&b, "%*s%s\n", (int)widths[i], "", ENVELOPE);
		struct document *d = open_text(b.data);
		assert_int_equal(document_kind(d), DOCUMENT_HEAD);
		assert_payload(d, "hi");
		document_close(d);
		buf_release(&b);
	}
}

/* The envelope may be as long as it may be, and what is longer is not read into memory. */
static void document_finds_long_envelopes(void **state)
{
	(void)state;
	for (size_t len = ENVELOPE_MAX - 1; len <= ENVELOPE_MAX + 3; len++) {
		for (int whole = 0; whole < 2; whole++) {
			struct buf b = BUF_INIT;
			struct envelope v;
			struct err e = {.code = ERR_NONE};
			envelope_init(&v);
			if (whole == 1)
				buf_adds(&b, MANIFEST LINE);
			size_t start = b.len;
			buf_adds(&b, ENVELOPE);
			while (b.len - start < len)
				buf_addc(&b, ' ');
			buf_addc(&b, '\n');
			struct document *d = document_open(file_of(b.data, b.len), &e);
			if (len <= ENVELOPE_MAX) {
				assert_non_null(d);
				assert_payload(d, "hi");
				assert_int_equal(document_body_bytes(d), start);
			} else if (d != NULL) {
				assert_int_equal(document_envelope(d, &v, &e), -1);
			}
			assert_int_equal(e.code, len <= ENVELOPE_MAX ? ERR_NONE : ERR_MALFORMED);
			document_close(d);
			envelope_release(&v);
			buf_release(&b);
		}
	}
}

static void document_takes_a_pipe(void **state)
{
	static const char text[] = MANIFEST LINE ENVELOPE "\n";
	struct err e = {.code = ERR_NONE};
	int ends[2], kept = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, sizeof text - 1), sizeof text - 1);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	struct document *d = document_open("-", &e);
	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	if (d == NULL)
		fail_msg("%s", e.msg);
	assert_string_equal(document_name(d), "standard input");
	assert_payload(d, "hi");
	assert_files(d, 1);
	document_close(d);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(kept), 0);
}

static void document_must_be_a_file(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_null(document_open("/nonexistent", &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot open '/nonexistent': No such file or directory");
	assert_null(document_open("/tmp", &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "'/tmp' is a directory, not a document");
	assert_null(document_open("/dev/null", &e));
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_string_equal(e.msg, "'/dev/null' is empty");
}

/* What was opened shrinks before its body is read: a failure with a reason. */
static void document_that_shrinks_is_noticed(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (off_t size = 0; size < (off_t)strlen(INVENTORY); size += 7) {
		struct document *d = open_text(INVENTORY LINE);
		assert_int_equal(ftruncate(source, size), 0);
		e = (struct err){.code = ERR_NONE};
		assert_null(document_body(d, &e));
		assert_int_not_equal(err_status(e.code), 0);
		document_close(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(document_tells_what_it_is),
	    cmocka_unit_test(document_is_a_delta_signed_or_not),
	    cmocka_unit_test(document_tells_the_last_line_of_a_delta),
	    cmocka_unit_test(document_delta_may_end_in_a_long_line),
	    cmocka_unit_test(document_of_another_kind_is_no_recipe),
	    cmocka_unit_test(document_rejects_what_it_does_not_know),
	    cmocka_unit_test(document_tells_that_a_manifest_is_cut_off),
	    cmocka_unit_test(document_without_an_envelope_says_so),
	    cmocka_unit_test(document_head_is_one_line),
	    cmocka_unit_test(document_head_may_start_with_white_space),
	    cmocka_unit_test(document_finds_long_envelopes),
	    cmocka_unit_test(document_takes_a_pipe),
	    cmocka_unit_test(document_must_be_a_file),
	    cmocka_unit_test(document_that_shrinks_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, close_file);
}
