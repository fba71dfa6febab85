#include "swarm/sha256sums.h"

#include "swarm/hex.h"
#include "swarm/plain.h"

/* No path holds what GNU escapes: a backslash, a line feed or a carriage return. */
static int add(void *self, const struct entry *entry, struct err *e)
{
	struct format_state *s = self;
	char hex[2 * SHA256_SIZE + 1];

	if (plain_check(entry, "which is all that a list of checksums holds", e) != 0)
		return -1;
	hex_format(hex, entry->sha256, SHA256_SIZE);
	buf_add(&s->text, hex, sizeof hex - 1);
	buf_adds(&s->text, "  ");
	buf_adds(&s->text, entry->path);
	buf_addc(&s->text, '\n');
	return outfile_gather(s->job->out, &s->text, e);
}

static const char *const options[] = {NULL};

const struct format sha256sums_format = {
    .name = "sha256sums",
    .options = options,
    .size = sizeof(struct format_state),
    .add = add,
};
