#define _GNU_SOURCE /* memfd_create(), mkstemp() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "manifests.h"

#include "swarm/paper.h"

static char path[] = "/tmp/swarm-test-paper-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd >= 0 ? close(fd) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void digest_is(const uint8_t *digest, const void *bytes, size_t len)
{
	struct err e;
	struct sha256 *sha = sha256_new(&e);
	uint8_t expected[SHA256_SIZE];

	assert_non_null(sha);
	sha256_once(sha, bytes, len, expected);
	sha256_free(sha);
	assert_memory_equal(digest, expected, SHA256_SIZE);
}

static const struct sheet sheets[] = {{"a", 1, 'a', NULL}};

/* A body, and behind it the envelope of `head`. */
static void make(struct buf *text, const struct buf *body, const struct head *head)
{
	struct envelope v;
	struct err e;

	envelope_init(&v);
	head_format(&v.payload, head);
	assert_int_equal(envelope_add(&v, "00", (const uint8_t *)"nobody", 6, &e), 0);
	buf_add(text, body->data, body->len);
	envelope_format(text, &v);
	buf_addc(text, '\n');
	envelope_release(&v);
	write_file(text->data, text->len);
}

static void paper_has_the_digests_of_its_parts(void **state)
{
	struct buf body = BUF_INIT, text = BUF_INIT;
	struct paper paper = PAPER_INIT;
	struct header header = make_header(1);
	struct err e;

	(void)state;
	put_body(&body, header, sheets, COUNT(sheets));
	header.files = 1;
	struct head head = head_of(&header, &body);
	make(&text, &body, &head);
	assert_int_equal(paper_read(path, body.len, &paper, &e), 0);
	assert_int_equal(paper.size, text.len);
	digest_is(paper.sha256, text.data, text.len);
	digest_is(paper.body, body.data, body.len);
	assert_int_equal(paper.last_size, text.len - body.len);
	digest_is(paper.last, text.data + body.len, text.len - body.len);
	assert_int_equal(paper_check_head(&paper, path, &head, &e), 0);
	head.issued++;
	assert_int_equal(paper_check_head(&paper, path, &head, &e), -1);
	assert_int_equal(e.code, ERR_CHANGED);

	/* With another length, what is left is no envelope. */
	assert_int_equal(paper_read(path, body.len - 2, &paper, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_int_equal(paper_read(path, text.len, &paper, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	paper_release(&paper);
	buf_release(&body);
	buf_release(&text);
}

static void paper_of_a_delta_must_be_one(void **state)
{
	struct paper paper = PAPER_INIT;
	struct pledge pledge;
	struct err e;

	(void)state;
	write_file("{\"swarm\":\"delta/1\"}\n", 20);
	assert_int_equal(paper_read_delta(path, &paper, &pledge, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	write_file("{}", 2);
	assert_int_equal(paper_read_delta(path, &paper, &pledge, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	write_file("", 0);
	assert_int_equal(paper_read_delta(path, &paper, &pledge, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	paper_release(&paper);
}

static void paper_digest_is_of_the_whole_file(void **state)
{
	size_t len = 600000;
	char *bytes = malloc(len);
	uint8_t digest[SHA256_SIZE];
	uint64_t size = 1;
	struct err e;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i / 7);
	write_file(bytes, len);
	assert_int_equal(paper_digest(path, digest, &size, &e), 0);
	assert_int_equal(size, len);
	digest_is(digest, bytes, len);
	write_file("", 0);
	assert_int_equal(paper_digest(path, digest, &size, &e), 0);
	assert_int_equal(size, 0);
	digest_is(digest, "", 0);
	free(bytes);
	assert_int_equal(paper_digest("/nothing", digest, &size, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paper_has_the_digests_of_its_parts),
	    cmocka_unit_test(paper_of_a_delta_must_be_one),
	    cmocka_unit_test(paper_digest_is_of_the_whole_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
