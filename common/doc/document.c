#include "swarm/document.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/io.h"

/* What comes through a pipe is copied to disk before anything of it can be checked. */
#define PIPE_MAX (UINT64_C(4) << 30)

struct document {
	int fd; /* seekable */
	const char *name;
	char *path;
	enum document_kind kind;
	bool is_signed;
	uint64_t body; /* its length; the envelope stands behind it */
	struct buf envelope;
};

/* Finds the last line, which has a line feed at its end unless it is the only one. */
static int read_last_line(struct document *d, uint64_t size, struct err *e)
{
	size_t want = size < ENVELOPE_MAX + 2 ? (size_t)size : ENVELOPE_MAX + 2;
	char *room = buf_room(&d->envelope, want);

	if (room == NULL)
		return err_nomem(e);
	ssize_t got = io_read_at(d->fd, room, want, size - want, d->name, e);
	if (got < 0)
		return -1;
	if ((size_t)got != want)
		return err_set(e, ERR_CHANGED, "'%s' became shorter while it was read", d->name);
	buf_grew(&d->envelope, want);
	bool has_feed = want > 0 && d->envelope.data[want - 1] == '\n';
	if (has_feed)
		buf_truncate(&d->envelope, want - 1);
	size_t start = d->envelope.len;
	while (start > 0 && d->envelope.data[start - 1] != '\n')
		start--;
	d->body = size - want + start;
	if (start == 0 && d->body > 0 && d->kind != DOCUMENT_DELTA)
		return err_set(e, ERR_MALFORMED, "'%s' does not end in an envelope: is it cut off?",
			       d->name);
	if (!has_feed && (d->body > 0 || d->kind == DOCUMENT_DELTA))
		return err_set(e, ERR_MALFORMED,
			       "the last line of '%s' has no line feed: is it cut off?", d->name);
	buf_consume(&d->envelope, start);
	return 0;
}

/* What the first bytes say that this is. */
static int recognise(struct document *d, struct err *e)
{
	static const char inventory[] = "{\"swarm\":\"inventory/";
	static const char manifest[] = "{\"swarm\":\"manifest/";
	static const char delta[] = "{\"swarm\":\"delta/";
	static const char part[] = "{\"swarm\":\"part/";
	/* Another tool's envelope may start with white space. */
	char first[64];
	ssize_t n = io_read_at(d->fd, first, sizeof first - 1, 0, d->name, e);

	if (n < 0)
		return -1;
	if (n == 0)
		return err_set(e, ERR_MALFORMED, "'%s' is empty", d->name);
	first[n] = '\0';
	if (strncmp(first, inventory, sizeof inventory - 1) == 0)
		d->kind = DOCUMENT_INVENTORY;
	else if (strncmp(first, manifest, sizeof manifest - 1) == 0)
		d->kind = DOCUMENT_MANIFEST;
	else if (strncmp(first, delta, sizeof delta - 1) == 0)
		d->kind = DOCUMENT_DELTA;
	else if (strncmp(first, part, sizeof part - 1) == 0)
		return err_set(e, ERR_USAGE,
			       "'%s' is a part of an inventory: join all parts first, with "
			       "swarmpack --merge",
			       d->name);
	else if (first[strspn(first, " \t\r")] == '{' && strncmp(first, "{\"swarm\"", 8) != 0)
		d->kind = DOCUMENT_HEAD;
	else
		return err_set(e, ERR_MALFORMED, "'%s' is no inventory, manifest, delta or head",
			       d->name);
	return 0;
}

/* A delta may end in a line of its own, which may be longer than any envelope. */
static bool ends_in_envelope(const struct document *d)
{
	static const char *const own[] = {"{\"swarm\":", "{\"remove\":", "{\"file\":"};

	if (d->kind != DOCUMENT_DELTA)
		return true;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strncmp(d->envelope.data, own[i], strlen(own[i])) == 0)
			return false;
	return d->envelope.len <= ENVELOPE_MAX;
}

static int examine(struct document *d, struct err *e)
{
	struct stat st;

	if (fstat(d->fd, &st) != 0)
		return err_sys(e, "cannot examine '%s'", d->name);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "'%s' is a directory, not a document", d->name);
	if (io_make_seekable(&d->fd, NULL, 0, PIPE_MAX, d->name, e) != 0)
		return -1;
	if (fstat(d->fd, &st) != 0)
		return err_sys(e, "cannot examine '%s'", d->name);
	uint64_t size = (uint64_t)st.st_size;
	if (recognise(d, e) != 0)
		return -1;
	if (d->kind == DOCUMENT_INVENTORY) {
		d->body = size;
		return 0;
	}
	if (read_last_line(d, size, e) != 0)
		return -1;
	d->is_signed = ends_in_envelope(d);
	if (!d->is_signed)
		d->body = size;
	if (d->kind == DOCUMENT_HEAD && d->body > 0)
		return err_set(e, ERR_MALFORMED,
			       "'%s' is no inventory, manifest, delta or head: a head is one line",
			       d->name);
	if (d->kind == DOCUMENT_MANIFEST && d->body == 0)
		return err_set(e, ERR_MALFORMED, "'%s' does not end in an envelope: is it cut off?",
			       d->name);
	return 0;
}

struct document *document_open(const char *path, struct err *e)
{
	struct document *d = calloc(1, sizeof *d);

	if (d == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	buf_init(&d->envelope);
	d->fd = -1;
	d->path = strdup(io_name(path));
	if (d->path == NULL) {
		(void)err_nomem(e);
		goto fail;
	}
	d->name = d->path;
	d->fd = io_open(path, e);
	if (d->fd < 0 || examine(d, e) != 0)
		goto fail;
	return d;
fail:
	document_close(d);
	return NULL;
}

void document_close(struct document *d)
{
	if (d == NULL)
		return;
	if (d->fd >= 0)
		(void)close(d->fd);
	buf_release(&d->envelope);
	free(d->path);
	free(d);
}

enum document_kind document_kind(const struct document *d)
{
	return d->kind;
}

const char *document_name(const struct document *d)
{
	return d->name;
}

bool document_is_signed(const struct document *d)
{
	return d->is_signed;
}

uint64_t document_body_bytes(const struct document *d)
{
	return d->body;
}

int document_envelope(const struct document *d, struct envelope *ret, struct err *e)
{
	if (d->kind == DOCUMENT_INVENTORY)
		return err_set(e, ERR_UNTRUSTED, "'%s' is an inventory: nobody has signed it",
			       d->name);
	if (!d->is_signed)
		return err_set(e, ERR_UNTRUSTED, "'%s' is a delta that is not signed", d->name);
	if (envelope_parse(d->envelope.data, d->envelope.len, ret, e) == 0)
		return 0;
	if (d->kind == DOCUMENT_HEAD)
		return err_prefix(e, "'%s'", d->name);
	return err_prefix(e, "'%s': the last line is no envelope", d->name);
}

static int rewind_file(struct document *d, struct err *e)
{
	return lseek(d->fd, 0, SEEK_SET) == 0 ? 0 : err_sys(e, "cannot read '%s'", d->name);
}

struct body *document_body(struct document *d, struct err *e)
{
	if (d->kind == DOCUMENT_HEAD || d->kind == DOCUMENT_DELTA) {
		(void)err_set(e, ERR_USAGE,
			      d->kind == DOCUMENT_HEAD
				  ? "'%s' is a head: it lists no files"
				  : "'%s' is a delta: it lists changes, not all files",
			      d->name);
		return NULL;
	}
	return rewind_file(d, e) == 0 ? body_open(d->fd, d->body, d->name, e) : NULL;
}

struct recipe *document_recipe(struct document *d, struct err *e)
{
	if (d->kind != DOCUMENT_DELTA) {
		(void)err_set(e, ERR_USAGE, "'%s' is no delta", d->name);
		return NULL;
	}
	return rewind_file(d, e) == 0 ? recipe_open(d->fd, d->body, d->name, e) : NULL;
}

int document_lines(struct document *d, struct io_lines *ret, struct err *e)
{
	io_lines_init(ret, d->fd, d->name, BODY_LINE_MAX);
	ret->left = d->body;
	if (lseek(d->fd, 0, SEEK_SET) != 0)
		return err_sys(e, "cannot read '%s'", d->name);
	return 0;
}
