#include "swarm/paper.h"

#include <string.h>
#include <unistd.h>

#include "swarm/document.h"
#include "swarm/envelope.h"
#include "swarm/io.h"

#define CHUNK ((size_t)256 * 1024)

/* A file being read: the digest of all of it, and of the part that it is in. */
struct reading {
	struct sha256 *all, *part;
	uint64_t size;
};

static void take(struct reading *r, const void *bytes, size_t len)
{
	sha256_update(r->all, bytes, len);
	sha256_update(r->part, bytes, len);
	r->size += len;
}

static int read_body(struct reading *r, int fd, const char *path, uint64_t left, struct err *e)
{
	struct buf chunk = BUF_INIT;
	int status = -1;
	char *room = buf_room(&chunk, CHUNK);

	if (room == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	while (left > 0) {
		ssize_t n = io_read(fd, room, left < CHUNK ? (size_t)left : CHUNK, path, e);
		if (n < 0)
			goto out;
		if (n == 0)
			break;
		take(r, room, (size_t)n);
		left -= (uint64_t)n;
	}
	status = 0;
out:
	buf_release(&chunk);
	return status;
}

static int read_envelope(struct reading *r, int fd, const char *path, struct paper *ret,
			 struct err *e)
{
	struct buf text = BUF_INIT;
	struct envelope v;
	int status = -1;

	envelope_init(&v);
	if (io_read_all(fd, &text, ENVELOPE_MAX + 1, path, e) != 0)
		goto out;
	sha256_reset(r->part);
	take(r, text.data, text.len);
	ret->last_size = text.len;
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		buf_truncate(&text, text.len - 1);
	if (envelope_parse(text.data, text.len, &v, e) != 0) {
		(void)err_prefix(e, "'%s': the last line is no envelope", path);
		goto out;
	}
	buf_add(&ret->payload, v.payload.data, v.payload.len);
	status = buf_check(&ret->payload, e);
out:
	envelope_release(&v);
	buf_release(&text);
	return status;
}

static int start(struct reading *r, struct err *e)
{
	*r = (struct reading){.all = sha256_new(e)};
	if (r->all != NULL)
		r->part = sha256_new(e);
	return r->part != NULL ? 0 : -1;
}

static void stop(struct reading *r)
{
	sha256_free(r->all);
	sha256_free(r->part);
}

static int finish(struct reading *r, uint8_t ret[static SHA256_SIZE], struct err *e)
{
	sha256_final(r->all, ret);
	return sha256_check(r->all, e) != 0 || sha256_check(r->part, e) != 0 ? -1 : 0;
}

void paper_release(struct paper *p)
{
	buf_release(&p->payload);
}

int paper_read(const char *path, uint64_t body, struct paper *ret, struct err *e)
{
	struct reading r = {.size = 0};
	int status = -1;
	int fd = io_open(path, e);

	buf_clear(&ret->payload);
	if (fd < 0 || start(&r, e) != 0 || read_body(&r, fd, path, body, e) != 0)
		goto out;
	sha256_final(r.part, ret->body);
	if (read_envelope(&r, fd, path, ret, e) != 0)
		goto out;
	sha256_final(r.part, ret->last);
	ret->size = r.size;
	status = finish(&r, ret->sha256, e);
out:
	stop(&r);
	if (fd >= 0)
		(void)close(fd);
	return status;
}

int paper_check_head(const struct paper *p, const char *path, const struct head *head,
		     struct err *e)
{
	struct buf text = BUF_INIT;
	int status = -1;

	head_format(&text, head);
	if (buf_check(&text, e) != 0)
		goto out;
	if (text.len == p->payload.len && memcmp(text.data, p->payload.data, text.len) == 0)
		status = 0;
	else
		(void)err_set(e, ERR_CHANGED, "'%s' changed while it was read", path);
out:
	buf_release(&text);
	return status;
}

int paper_read_delta(const char *path, struct paper *ret, struct pledge *ret_pledge, struct err *e)
{
	struct document *d = document_open(path, e);

	if (d == NULL)
		return -1;
	enum document_kind kind = document_kind(d);
	bool is_signed = document_is_signed(d);
	uint64_t body = document_body_bytes(d);
	document_close(d);
	if (kind != DOCUMENT_DELTA)
		return err_set(e, ERR_UNTRUSTED, "'%s' is no delta", path);
	if (!is_signed)
		return err_set(e, ERR_UNTRUSTED, "'%s' is a delta that is not signed", path);
	if (paper_read(path, body, ret, e) != 0)
		return -1;
	if (pledge_parse(ret->payload.data, ret->payload.len, ret_pledge, e) != 0)
		return err_prefix(e, "'%s'", path);
	if (ret_pledge->bytes != body || memcmp(ret_pledge->digest, ret->body, SHA256_SIZE) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' is not the delta that was signed: its SHA-256 is another one",
			       path);
	return 0;
}

int paper_digest(const char *path, uint8_t ret[static SHA256_SIZE], uint64_t *ret_size,
		 struct err *e)
{
	struct reading r = {.size = 0};
	int status = -1;
	int fd = io_open(path, e);

	if (fd < 0 || start(&r, e) != 0 || read_body(&r, fd, path, UINT64_MAX, e) != 0)
		goto out;
	*ret_size = r.size;
	status = finish(&r, ret, e);
out:
	stop(&r);
	if (fd >= 0)
		(void)close(fd);
	return status;
}
