#include "swarm/cause.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/overlap.h"
#include "swarm/unwrap.h"

/* One side. */
struct bytes {
	const uint8_t *at;
	size_t len;
};

const char *cause_name(enum cause_kind kind)
{
	static const char *const names[] = {
	    "new",       "recompressed", "tiny-change", "compressed", "reordered", "shifted",
	    "scattered", "rewritten",    "grown",       "shortened",  "edited"};

	return names[kind];
}

ERR_PRINTF(3, 4)
static void settle(struct cause *ret, enum cause_kind kind, const char *fmt, ...)
{
	va_list ap;

	ret->kind = kind;
	va_start(ap, fmt);
	(void)vsnprintf(ret->detail, sizeof ret->detail, fmt, ap);
	va_end(ap);
}

static unsigned percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (unsigned)((double)part / (double)whole * 100);
}

/*
 * Bytes of the new file that the old one has, also where they differ in places. Some are equal to
 * those at the same offset by chance: that tells only where most are.
 */
static uint64_t alike(const struct overlap *o, size_t new_len)
{
	uint64_t runs = o->shared + o->near;

	return o->same > runs && o->same >= new_len / 2 ? o->same : runs;
}

/* --- bytes as they are --------------------------------------------------------------------------
 */

static void judge_bytes(const struct overlap *o, size_t old_len, size_t new_len, struct cause *ret)
{
	unsigned share = percent(alike(o, new_len), new_len);

	if (o->shared >= old_len / 10 * 9 && o->disordered < o->shared / 20 && new_len > old_len &&
	    new_len - old_len > new_len / 20)
		settle(ret, CAUSE_GROWN, "the old content is there, and %u %% more",
		       percent(new_len - old_len, old_len));
	else if (share < 50)
		settle(ret, CAUSE_REWRITTEN, "%u %% of its bytes stand in the old file", share);
	else if ((o->same >= new_len / 2 && o->shared < o->same / 2) ||
		 (o->edits >= 32 && new_len / o->edits < 1024))
		settle(ret, CAUSE_SCATTERED,
		       "%u %% of its bytes are the same, but small differences stand all over it",
		       share);
	else if (o->in_place < o->shared / 2)
		settle(ret, CAUSE_SHIFTED, "%u %% of its bytes stand in the old file, elsewhere",
		       share);
	else if (o->edits == 0 && new_len < old_len)
		settle(ret, CAUSE_SHORTENED, "the beginning of the old content, %u %% of it",
		       percent(new_len, old_len));
	else
		settle(ret, CAUSE_EDITED, "%llu place%s differ%s, %u %% of its bytes are the same",
		       (unsigned long long)o->edits, o->edits == 1 ? "" : "s",
		       o->edits == 1 ? "s" : "", share);
}

/* --- what is compressed as one stream -----------------------------------------------------------
 */

static int judge_inside(enum unwrap_format format, const char *name, const struct bytes *old,
			const struct bytes *new, uint64_t memory, struct cause *ret, struct err *e)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct overlap o;
	bool old_whole, new_whole;
	int status = -1;

	/* A buf may be half as large again as what is in it. */
	if (unwrap_inflate(format, old->at, old->len, memory / 4, &before, &old_whole, e) != 0 ||
	    unwrap_inflate(format, new->at, new->len, memory / 4, &after, &new_whole, e) != 0)
		goto out;
	status = 0;
	if (!old_whole || !new_whole) {
		settle(ret, CAUSE_COMPRESSED, "%s, whose content cannot be seen", name);
		goto out;
	}
	if (before.len == after.len && memcmp(before.data, after.data, after.len) == 0) {
		settle(ret, CAUSE_RECOMPRESSED, "%s, with the same content inside", name);
		goto out;
	}
	status = overlap_measure((const uint8_t *)before.data, before.len,
				 (const uint8_t *)after.data, after.len, memory / 4, &o, e);
	if (status != 0)
		goto out;
	unsigned share = percent(alike(&o, after.len), after.len);
	settle(ret, share >= 50 ? CAUSE_TINY_CHANGE : CAUSE_COMPRESSED,
	       "%s, in which %u %% of the content are the same", name, share);
out:
	buf_release(&before);
	buf_release(&after);
	return status;
}

/* --- what is compressed member by member --------------------------------------------------------
 */

static int compare_content(const void *a, const void *b)
{
	const struct unwrap_member *x = a, *y = b;

	if (x->crc != y->crc)
		return x->crc < y->crc ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = len > 0 ? memcmp(x->name, y->name, len) : 0;
	return order != 0 ? order : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* How the members of two archives compare. */
struct comparison {
	size_t same;     /* members of the new one that the old one has too */
	size_t packed;   /* of these: packed into as many bytes */
	size_t in_order; /* of these: the n-th of both */
	uint64_t same_size, size;
};

static void compare_members(struct unwrap_members *old, const struct unwrap_members *new,
			    struct comparison *ret)
{
	*ret = (struct comparison){.same = 0};
	for (size_t i = 0; i < new->count &&i < old->count; i++)
		ret->in_order += compare_content(&old->items[i], &new->items[i]) == 0;
	qsort(old->items, old->count, sizeof *old->items, compare_content);
	for (size_t i = 0; i < new->count; i++) {
		const struct unwrap_member *m = &new->items[i];
		const struct unwrap_member *found =
		    bsearch(m, old->items, old->count, sizeof *old->items, compare_content);
		ret->size += m->size;
		if (found == NULL)
			continue;
		ret->same++;
		ret->packed += found->packed == m->packed;
		ret->same_size += m->size;
	}
}

/* True if the members tell. */
static bool judge_members(const struct comparison *m, size_t old_count, size_t new_count,
			  unsigned share, struct cause *ret)
{
	bool all = m->same == new_count && old_count == new_count;

	if (all && m->packed < new_count)
		settle(ret, CAUSE_RECOMPRESSED, "zip, with the same %zu members, packed otherwise",
		       new_count);
	else if (all)
		settle(ret, CAUSE_REORDERED, "zip, with the same %zu members%s", new_count,
		       m->in_order < new_count ? " in another order"
					       : " and other times or attributes");
	else if (share < 50)
		settle(ret, m->same_size >= m->size / 2 ? CAUSE_TINY_CHANGE : CAUSE_COMPRESSED,
		       "zip, in which %zu of %zu members are the same", m->same, new_count);
	else
		return false;
	return true;
}

static int judge_zip(const struct bytes *old, const struct bytes *new, unsigned share,
		     uint64_t memory, struct cause *ret, bool *ret_known, struct err *e)
{
	struct unwrap_members before = {.items = NULL}, after = {.items = NULL};
	struct comparison m;
	uint64_t room = memory / 2 / sizeof *before.items;
	size_t max = room < 65535 ? (size_t)room : 65535;
	bool old_known = false, new_known = false;
	int status = -1;

	if (unwrap_zip(old->at, old->len, max, &before, &old_known, e) != 0 ||
	    unwrap_zip(new->at, new->len, max, &after, &new_known, e) != 0)
		goto out;
	status = 0;
	*ret_known = false;
	if (!old_known || !new_known)
		goto out;
	compare_members(&before, &after, &m);
	*ret_known = judge_members(&m, before.count, after.count, share, ret);
out:
	free(before.items);
	free(after.items);
	return status;
}

/* ------------------------------------------------------------------------------------------------
 */

static int judge(const struct bytes *old, const struct bytes *new, const struct overlap *o,
		 uint64_t memory, struct cause *ret, struct err *e)
{
	const char *name, *old_name;
	enum unwrap_format format = unwrap_format(new->at, new->len, &name);
	unsigned share = percent(alike(o, new->len), new->len);
	bool both = unwrap_format(old->at, old->len, &old_name) == format, known = false;

	if (both && format == UNWRAP_ZIP && judge_zip(old, new, share, memory, ret, &known, e) != 0)
		return -1;
	if (known)
		return 0;
	if (both && format == UNWRAP_TAR && share >= 90 && o->disordered > o->shared / 20) {
		settle(ret, CAUSE_REORDERED, "tar, with %u %% of it in another order",
		       percent(o->disordered, new->len));
		return 0;
	}
	if (format == UNWRAP_PLAIN || format == UNWRAP_TAR || share >= 50) {
		judge_bytes(o, old->len, new->len, ret);
		return 0;
	}
	if (both && (format == UNWRAP_GZIP || format == UNWRAP_PNG))
		return judge_inside(format, name, old, new, memory, ret, e);
	settle(ret, CAUSE_COMPRESSED, "%s, of which %u %% are the same", name, share);
	return 0;
}

int cause_find(const uint8_t *old, size_t old_len, const uint8_t *new, size_t new_len,
	       uint64_t memory, struct cause *ret, struct err *e)
{
	struct bytes before = {old, old_len}, after = {new, new_len};
	struct overlap o;

	*ret = (struct cause){.kind = CAUSE_NEW};
	if (old == NULL || old_len == 0)
		return 0;
	if (overlap_measure(old, old_len, new, new_len, memory, &o, e) != 0)
		return -1;
	ret->shared = alike(&o, new_len);
	return judge(&before, &after, &o, memory, ret, e);
}
