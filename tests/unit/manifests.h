/* Manifests for unit tests: lines in, an open document out. Nobody has signed them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "swarm/document.h"
#include "swarm/entry.h"
#include "swarm/envelope.h"
#include "swarm/head.h"
#include "swarm/header.h"
#include "swarm/sha256.h"

#define PIECE UINT64_C(16384)

/* A file of at most one piece whose root is `content` 32 times. */
struct sheet {
	const char *path;
	uint64_t size;
	char content;
	const char *type;
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline struct header make_header(uint64_t serial)
{
	struct header h = {.kind = HEADER_MANIFEST,
			   .id = {.product = "farm", .channel = "stable", .serial = serial},
			   .piece_length = PIECE};

	(void)snprintf(h.id.version, sizeof h.id.version, "1.0.%llu", (unsigned long long)serial);
	return h;
}

static inline void put_sheet(struct buf *to, const struct sheet *s)
{
	struct entry entry = {
	    .path = s->path, .size = s->size, .type = s->type, .hot = ENTRY_NOT_HOT};

	if (s->size > 0)
		memset(entry.root, s->content, sizeof entry.root);
	entry_format(to, &entry);
	buf_addc(to, '\n');
}

/* The first line and those of the files; counts are right. */
static inline void put_body(struct buf *to, struct header header, const struct sheet *sheets,
			    size_t count)
{
	header.files = count;
	for (size_t i = 0; i < count; i++)
		header.bytes += sheets[i].size;
	header_format(to, &header);
	buf_addc(to, '\n');
	for (size_t i = 0; i < count; i++)
		put_sheet(to, &sheets[i]);
}

/* The head of a body with this first line. */
static inline struct head head_of(const struct header *h, const struct buf *body)
{
	struct err e;
	struct sha256 *sha = sha256_new(&e);
	struct head head = {.id = h->id,
			    .bytes = body->len,
			    .files = h->files,
			    .issued = 1795437296,
			    .expires = 1795437297};

	assert_non_null(sha);
	sha256_once(sha, body->data, body->len, head.digest);
	sha256_free(sha);
	return head;
}

/* Opens what the text is. */
static inline struct document *open_text(const struct buf *text)
{
	struct err e;
	char path[64];
	int fd = memfd_create("document", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_false(text->failed);
	assert_int_equal(write(fd, text->data, text->len), text->len);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct document *d = document_open(path, &e);
	if (d == NULL)
		fail_msg("%s", e.msg);
	assert_int_equal(close(fd), 0);
	return d;
}

/* Opens the manifest of a body and a head. */
static inline struct document *open_sealed(const struct buf *body, const struct head *head)
{
	struct buf text = BUF_INIT;
	struct envelope v;
	struct err e;

	envelope_init(&v);
	head_format(&v.payload, head);
	assert_int_equal(envelope_add(&v, "00", (const uint8_t *)"nobody", 6, &e), 0);
	buf_add(&text, body->data, body->len);
	envelope_format(&text, &v);
	buf_addc(&text, '\n');
	struct document *d = open_text(&text);
	envelope_release(&v);
	buf_release(&text);
	return d;
}

/* Opens the manifest of a body that begins with a good first line. */
static inline struct document *open_body(const struct buf *body)
{
	struct err e;
	struct header h;

	if (header_parse(body->data, strcspn(body->data, "\n"), &h, &e) != 0)
		fail_msg("%s", e.msg);
	struct head head = head_of(&h, body);
	return open_sealed(body, &head);
}

static inline struct document *open_sheets(uint64_t serial, const struct sheet *sheets,
					   size_t count)
{
	struct buf body = BUF_INIT;

	put_body(&body, make_header(serial), sheets, count);
	struct document *d = open_body(&body);
	buf_release(&body);
	return d;
}
