#include "swarm/relatives.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/document.h"
#include "swarm/envelope.h"
#include "swarm/grow.h"
#include "swarm/head.h"

static int add(struct relatives *r, const uint8_t *hash, struct err *e)
{
	uint8_t(*more)[RELATIVES_SIZE] =
	    grow_for_one(r->list, r->count, &r->room, sizeof *r->list, e);

	if (more == NULL)
		return -1;
	r->list = more;
	memcpy(r->list[r->count++], hash, RELATIVES_SIZE);
	return 0;
}

static int add_all(struct relatives *r, const struct head *head, struct err *e)
{
	if (head->has_btmh && add(r, head->btmh, e) != 0)
		return -1;
	if (!head->has_hybrid)
		return 0;
	return add(r, head->hybrid_btmh, e) != 0 ? -1 : add(r, head->hybrid_btih, e);
}

static int read_head(const struct document *d, struct head *ret, struct err *e)
{
	struct envelope v;
	int status = -1;

	if (document_kind(d) != DOCUMENT_MANIFEST && document_kind(d) != DOCUMENT_HEAD)
		return err_set(e, ERR_USAGE,
			       "--previous needs a manifest or a head, which '%s' is not",
			       document_name(d));
	envelope_init(&v);
	if (document_envelope(d, &v, e) == 0) {
		status = head_parse(v.payload.data, v.payload.len, ret, e);
		if (status != 0)
			(void)err_prefix(e, "'%s'", document_name(d));
	}
	envelope_release(&v);
	return status;
}

int relatives_read(struct relatives *r, const char *path, struct err *e)
{
	struct document *d = document_open(path, e);
	struct head head = {.bytes = 0};
	int status = -1;

	if (d == NULL)
		return -1;
	if (read_head(d, &head, e) == 0)
		status = add_all(r, &head, e);
	document_close(d);
	return status;
}

void relatives_release(struct relatives *r)
{
	free(r->list);
	*r = (struct relatives){.list = NULL};
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, RELATIVES_SIZE);
}

static bool is_any(const uint8_t *hash, const uint8_t *const *others, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(hash, others[i], RELATIVES_SIZE) == 0)
			return true;
	return false;
}

void relatives_settle(struct relatives *r, const uint8_t *const *self, size_t self_count)
{
	size_t kept = 0;

	if (r->count > 0)
		qsort(r->list, r->count, sizeof *r->list, compare);
	for (size_t i = 0; i < r->count; i++) {
		if (is_any(r->list[i], self, self_count) ||
		    (kept > 0 && memcmp(r->list[kept - 1], r->list[i], RELATIVES_SIZE) == 0))
			continue;
		if (kept != i)
			memcpy(r->list[kept], r->list[i], RELATIVES_SIZE);
		kept++;
	}
	r->count = kept;
}
