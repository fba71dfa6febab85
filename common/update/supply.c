#include "swarm/supply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/io.h"
#include "swarm/payload.h"

/* O_NONBLOCK: should a FIFO stand there, do not wait for its writer. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* --- what is given ------------------------------------------------------------------------------
 */

static bool want_whole(const void *context, const char *path, uint64_t *ret_limit)
{
	const struct warrant *w = context;
	const struct entry *entry = listing_find(&w->new, path);

	if (entry == NULL)
		return false;
	const struct delta_line *line = w->lines[entry - w->new.entries];
	*ret_limit = entry->size;
	return entry->size > 0 && line != NULL && line->source != DELTA_COPY;
}

int supply_open(const struct supply_options *options, const struct warrant *w, struct supply *ret,
		struct err *e)
{
	const struct stock_options old = {.want = stock_want_listed, .context = &w->old};
	const struct stock_options whole = {.want = want_whole, .context = w};

	ret->options = options;
	ret->old = stock_open(options->old_tree, &old, e);
	if (ret->old == NULL)
		return -1;
	if (options->payloads != NULL) {
		ret->payloads = open(options->payloads, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (ret->payloads < 0)
			return err_sys(e, "cannot open '%s'", options->payloads);
	}
	if (options->solid != NULL) {
		ret->solid = open(options->solid, OPEN_FLAGS);
		if (ret->solid < 0)
			return err_sys(e, "cannot open '%s'", options->solid);
	}
	if (options->from != NULL) {
		ret->from = stock_open(options->from, &whole, e);
		if (ret->from == NULL)
			return -1;
	}
	return 0;
}

void supply_release(struct supply *s)
{
	stock_close(s->old);
	stock_close(s->from);
	if (s->payloads >= 0)
		(void)close(s->payloads);
	if (s->solid >= 0)
		(void)close(s->solid);
	*s = (struct supply)SUPPLY_INIT;
}

bool supply_has_whole(const struct supply *s, const char *path)
{
	struct stock_file f;
	struct err e;

	if (s->from == NULL || stock_file_open(s->from, path, &f, &e) != 0)
		return false;
	(void)!stock_file_close(&f, &e);
	return true;
}

/* --- payloads -----------------------------------------------------------------------------------
 */

bool supply_payload_name(const struct entry *file, const struct entry *base, struct buf *to)
{
	if (!file->has_sha256 || (base != NULL && !base->has_sha256))
		return false;
	payload_name(to, file->sha256, base != NULL ? base->sha256 : NULL);
	return true;
}

bool supply_has_payload(const struct supply *s, const char *name)
{
	return s->payloads >= 0 && faccessat(s->payloads, name, F_OK, 0) == 0;
}

static int check_payload(const struct buf *payload, size_t before, const uint8_t *sha256,
			 const char *name, struct err *e)
{
	uint8_t digest[SHA256_SIZE];

	if (payload_digest(payload->data + before, payload->len - before, digest, e) != 0)
		return -1;
	if (memcmp(digest, sha256, SHA256_SIZE) != 0)
		return err_set(
		    e, ERR_UNTRUSTED,
		    "the payload '%s' is not the one of the delta: its SHA-256 is another", name);
	return 0;
}

/* The size comes first: no more is read than the delta says. */
static int load(int fd, uint64_t size, const uint8_t *sha256, const char *name, struct buf *ret,
		struct err *e)
{
	size_t before = ret->len;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "cannot examine '%s'", name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return err_set(e, ERR_UNTRUSTED,
			       "the payload '%s' is not the one of the delta: it has %llu bytes "
			       "instead of %llu",
			       name, (unsigned long long)st.st_size, (unsigned long long)size);
	char *room = size < SIZE_MAX ? buf_room(ret, (size_t)size) : NULL;
	if (room == NULL)
		return err_nomem(e);
	ssize_t n = io_read_at(fd, room, (size_t)size, 0, name, e);
	if (n < 0)
		return -1;
	buf_grew(ret, (size_t)n);
	return check_payload(ret, before, sha256, name, e);
}

int supply_load_payload(const struct supply *s, const char *name, const struct delta_line *line,
			struct buf *ret, struct err *e)
{
	int fd = openat(s->payloads, name, OPEN_FLAGS);

	if (fd < 0)
		return err_sys(e, "cannot open the payload '%s'", name);
	int status = load(fd, line->size, line->sha256, name, ret, e);
	(void)close(fd);
	return status;
}

int supply_load_solid(const struct supply *s, const struct delta_header *delta, struct buf *ret,
		      struct err *e)
{
	struct stat st;

	if (fstat(s->solid, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "'%s' is not a regular file", s->options->solid);
	return load(s->solid, delta->solid.size, delta->solid.sha256, s->options->solid, ret, e);
}
