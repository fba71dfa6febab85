#include "swarm/draft.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/io.h"
#include "swarm/rebuild.h"
#include "swarm/recipe.h"
#include "swarm/solid.h"

#define BLOCK ((size_t)256 * 1024)

static const char name[] = "the new delta";

static void set_payload(struct delta_line *line, const struct payloads_item *p)
{
	if (p->bare != PAYLOADS_MADE)
		return;
	line->source = p->source;
	line->from = p->source == DELTA_DCZ ? p->base->path : NULL;
	line->size = p->size;
	memcpy(line->sha256, p->sha256, SHA256_SIZE);
}

static void put_line(struct buf *to, const struct draft *d, size_t i)
{
	const struct changes_item *item = &d->changes->items[i];
	struct delta_line line;

	changes_line(item, &line);
	if (changes_is_fetched(item)) {
		if (d->payloads != NULL)
			set_payload(&line, &d->payloads[i]);
		line.solid = d->solid.size > 0;
	}
	delta_format_line(to, &line);
	buf_addc(to, '\n');
}

static void put_header(struct buf *to, const struct draft *d)
{
	struct delta_header header;

	changes_header(d->changes, &header);
	header.has_solid = d->solid.size > 0;
	if (header.has_solid) {
		header.solid.version = SOLID_VERSION;
		header.solid.size = d->solid.size;
		memcpy(header.solid.sha256, d->solid.sha256, SHA256_SIZE);
	}
	delta_format_header(to, &header);
	buf_addc(to, '\n');
}

static int flush(struct buf *text, int fd, uint64_t *bytes, struct err *e)
{
	if (buf_check(text, e) != 0 ||
	    io_write(fd, text->data, text->len, "a temporary file", e) != 0)
		return -1;
	*bytes += text->len;
	buf_clear(text);
	return 0;
}

static int write_lines(const struct draft *d, int fd, uint64_t *ret_bytes, struct err *e)
{
	struct buf text = BUF_INIT;
	int status = 0;

	*ret_bytes = 0;
	put_header(&text, d);
	for (size_t i = 0; i < d->changes->count && status == 0; i++) {
		put_line(&text, d, i);
		if (text.len >= BLOCK)
			status = flush(&text, fd, ret_bytes, e);
	}
	if (status == 0)
		status = flush(&text, fd, ret_bytes, e);
	buf_release(&text);
	return status;
}

/* Reads the delta as a client does. */
static int prove(int fd, uint64_t bytes, struct document *from, struct err *e)
{
	static const struct rebuild_sink nobody = {.context = NULL};

	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, "cannot read a temporary file");
	struct recipe *recipe = recipe_open(fd, bytes, name, e);
	if (recipe == NULL)
		return -1;
	int status = rebuild_run(from, recipe, &nobody, e);
	recipe_close(recipe);
	return status == 0 ? 0
			   : err_prefix(e, "%s is not written, since it failed its proof", name);
}

static int publish(int fd, struct outfile *out, struct err *e)
{
	int status = -1;
	char *block = malloc(BLOCK);

	if (block == NULL)
		return err_nomem(e);
	for (uint64_t at = 0;;) {
		ssize_t n = io_read_at(fd, block, BLOCK, at, "a temporary file", e);
		if (n < 0 || outfile_write(out, block, (size_t)n, e) != 0)
			goto out;
		at += (uint64_t)n;
		if ((size_t)n < BLOCK)
			break;
	}
	status = 0;
out:
	free(block);
	return status;
}

int draft_write(const struct draft *d, struct document *from, struct outfile *out,
		uint64_t *ret_bytes, struct err *e)
{
	int fd = io_temporary(e);

	if (fd < 0)
		return -1;
	int status = write_lines(d, fd, ret_bytes, e) != 0 || prove(fd, *ret_bytes, from, e) != 0 ||
			     publish(fd, out, e) != 0
			 ? -1
			 : 0;
	(void)close(fd);
	return status;
}
