#define _GNU_SOURCE /* memfd_create(), mkdtemp() */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "manifests.h"

#include "swarm/exporter.h"
#include "swarm/io.h"
#include "swarm/scratch.h"

/* A tree with one file, a manifest of it, and a head apart. */
static char folder[] = "/tmp/swarm-test-publish-XXXXXX";
static const struct sheet sheets[] = {{"a", 4, 'a', NULL}};
static struct header header;
static struct head head;
static struct buf body = BUF_INIT;

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

static void write_document(const char *path, const struct buf *front, const struct head *what)
{
	struct buf text = BUF_INIT;
	struct envelope v;
	struct err e;

	envelope_init(&v);
	head_format(&v.payload, what);
	assert_int_equal(envelope_add(&v, "00", (const uint8_t *)"nobody", 6, &e), 0);
	buf_add(&text, front->data, front->len);
	envelope_format(&text, &v);
	buf_addc(&text, '\n');
	write_file(path, text.data, text.len);
	envelope_release(&v);
	buf_release(&text);
}

static int set_up(void **state)
{
	const struct buf nothing = BUF_INIT;

	(void)state;
	if (mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("tree", 0700) != 0)
		return -1;
	write_file("tree/a", "aaaa", 4);
	header = make_header(1);
	put_body(&body, header, sheets, COUNT(sheets));
	header.files = COUNT(sheets);
	head = head_of(&header, &body);
	write_document("manifest", &body, &head);
	write_document("head", &nothing, &head);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_release(&body);
	return unlink("tree/a") | rmdir("tree") | unlink("manifest") | unlink("head") |
	       unlink("plan") | rmdir(folder);
}

/* Makes the plan, up to its end; `meddle` is called in front of that. */
static int publish(const char *head_file, void (*meddle)(void), struct buf *ret_plan, struct err *e)
{
	const struct format_options options = {.format = "upload", .tree = "tree"};
	const struct outfile_options how = {.force = true};
	struct format_job job = {.options = &options, .manifest = "manifest", .head = head_file};
	struct entry entry = {.path = "a", .size = 4, .has_sha256 = true};
	struct scratch *scratch = scratch_new(e);

	assert_non_null(scratch);
	job.out = outfile_open("plan", &how, scratch, e);
	assert_non_null(job.out);
	struct exporter *x = exporter_new(&job, e);
	assert_non_null(x);
	assert_int_equal(exporter_begin(x, &header, &head, e), 0);
	assert_int_equal(exporter_add(x, &entry, e), 0);
	if (meddle != NULL)
		meddle();
	int status = exporter_end(x, e);
	if (status == 0 && ret_plan != NULL) {
		assert_int_equal(outfile_commit(job.out, e), 0);
		int fd = open("plan", O_RDONLY);
		assert_int_equal(io_read_all(fd, ret_plan, SIZE_MAX, "plan", e), 0);
		assert_int_equal(close(fd), 0);
	}
	exporter_free(x);
	outfile_free(job.out);
	scratch_free(scratch);
	return status;
}

static void publish_ends_in_the_head(void **state)
{
	struct buf plan = BUF_INIT;
	struct err e;

	(void)state;
	assert_int_equal(publish(NULL, NULL, &plan, &e), 0);
	assert_non_null(strstr(plan.data, "\"class\":\"head\",\"key\":\"farm-stable.head\","
					  "\"source\":\"manifest\","));
	assert_string_equal(plan.data + plan.len - 14, ",\"head\":true}\n");
	buf_clear(&plan);
	assert_int_equal(publish("head", NULL, &plan, &e), 0);
	assert_non_null(strstr(plan.data, "\"class\":\"head\",\"key\":\"farm-stable.head\","
					  "\"source\":\"head\","));
	buf_release(&plan);
}

static void other_body(void)
{
	struct buf changed = BUF_INIT;

	buf_add(&changed, body.data, body.len);
	changed.data[body.len - 2] ^= 1;
	write_document("manifest", &changed, &head);
	buf_release(&changed);
}

static void other_last_line(void)
{
	struct head other = head;

	other.expires++;
	write_document("manifest", &body, &other);
}

static void other_head(void)
{
	const struct buf nothing = BUF_INIT;
	struct head other = head;

	other.id.serial++;
	write_document("head", &nothing, &other);
}

static void no_head(void)
{
	write_file("head", "", 0);
}

/* What was checked is what is planned, whatever becomes of the files meanwhile. */
static void publish_refuses_documents_that_have_changed(void **state)
{
	static const struct {
		const char *head;
		void (*meddle)(void);
		enum err_code code;
	} cases[] = {{NULL, other_body, ERR_CHANGED},      {"head", other_body, ERR_CHANGED},
		     {NULL, other_last_line, ERR_CHANGED}, {"head", other_last_line, ERR_NONE},
		     {"head", other_head, ERR_CHANGED},    {NULL, other_head, ERR_NONE},
		     {"head", no_head, ERR_MALFORMED}};
	const struct buf nothing = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = {.code = ERR_NONE};
		int status = publish(cases[i].head, cases[i].meddle, NULL, &e);
		assert_int_equal(status, cases[i].code == ERR_NONE ? 0 : -1);
		assert_int_equal(e.code, cases[i].code);
		write_document("manifest", &body, &head);
		write_document("head", &nothing, &head);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(publish_ends_in_the_head),
	    cmocka_unit_test(publish_refuses_documents_that_have_changed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
