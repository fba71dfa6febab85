#include "swarm/audit.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/grow.h"
#include "swarm/path.h"
#include "swarm/survey.h"

/* --- comparing ----------------------------------------------------------------------------------
 */

/* The hash of the i-th piece of what was found, or NULL if it has no comparable one. */
static const uint8_t *found_piece(const struct filehash_digests *d, uint64_t i,
				  uint64_t piece_length)
{
	if (i < d->layer.len / SHA256_SIZE)
		return (const uint8_t *)d->layer.data + i * SHA256_SIZE;
	/* Exactly one whole piece has no layer: its root is the piece's hash. */
	return i == 0 && d->size == piece_length ? d->root : NULL;
}

static int find_bad_pieces(const struct entry *entry, const struct filehash_digests *d,
			   struct finding *ret, struct err *e)
{
	uint64_t count = merkle_pieces(entry->size, ret->piece_length);
	size_t room = 0;

	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *want =
		    entry->piece_count > 0 ? entry->pieces + i * SHA256_SIZE : entry->root;
		const uint8_t *have = entry->piece_count > 0 ? found_piece(d, i, ret->piece_length)
				      : d->size == entry->size ? d->root
							       : NULL;
		if (have != NULL && memcmp(want, have, SHA256_SIZE) == 0)
			continue;
		if (ret->piece_count > 0 && ret->pieces[ret->piece_count - 1].last + 1 == i) {
			ret->pieces[ret->piece_count - 1].last = i;
			continue;
		}
		struct finding_pieces *more =
		    grow_for_one(ret->pieces, ret->piece_count, &room, sizeof *more, e);
		if (more == NULL)
			return -1;
		ret->pieces = more;
		more[ret->piece_count++] = (struct finding_pieces){i, i};
	}
	return 0;
}

static bool is_right(const struct survey *s, const struct entry *entry,
		     const struct survey_file *content)
{
	if (content->right && content->entry == entry)
		return true;
	if (content->size != entry->size)
		return false;
	return s->options->fast ||
	       (content->digests != NULL && survey_is_right(entry, content->digests));
}

static int settle_probe(struct survey *s, const struct entry *entry, const struct survey_file *p,
			struct err *e)
{
	const struct survey_file *content = p->same_as != SURVEY_NONE ? &s->files[p->same_as] : p;
	bool same_size = content->size == entry->size;
	struct finding finding = {.kind = FINDING_CORRUPT,
				  .path = entry->path,
				  .size = entry->size,
				  .found_size = content->size,
				  .piece_length = s->listing->header.piece_length};

	if (p->gone)
		return finding_add_reason(s->findings, FINDING_MISSING, entry->path, NULL, e);
	if (p->error != NULL)
		return finding_add_reason(s->findings, FINDING_UNREADABLE, entry->path, p->error,
					  e);
	if (is_right(s, entry, content)) {
		finding.kind = FINDING_OK;
		if (p->exec != entry->exec &&
		    finding_add_reason(s->findings, FINDING_WRONG_MODE, entry->path,
				       entry->exec ? "it should be executable"
						   : "it should not be executable",
				       e) != 0)
			return -1;
		return finding_add(s->findings, &finding, e);
	}
	if (content->digests != NULL &&
	    find_bad_pieces(entry, content->digests, &finding, e) != 0) {
		free(finding.pieces);
		return -1;
	}
	if (content->digests != NULL && same_size && finding.piece_count == 0)
		finding.why = "its pieces are right, its plain digest is not: the manifest "
			      "contradicts itself";
	return finding_add(s->findings, &finding, e);
}

/* Extra files that were hashed, to be found by content. */
struct candidate {
	const struct survey_file *probe;
	size_t index;
	size_t taken; /* of the first of equal content: how many of them have been found missing */
};

static int compare_content(const struct filehash_digests *x, uint64_t size, const uint8_t *root)
{
	if (x->size != size)
		return x->size < size ? -1 : 1;
	return memcmp(x->root, root, SHA256_SIZE);
}

static int compare_candidate(const void *left, const void *right)
{
	const struct candidate *x = left, *y = right;
	int order =
	    compare_content(x->probe->digests, y->probe->digests->size, y->probe->digests->root);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static size_t find_content(const struct candidate *list, size_t count, const struct entry *entry)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_content(list[middle].probe->digests, entry->size, entry->root) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int collect_candidates(const struct survey *s, struct candidate **ret, size_t *ret_count,
			      struct err *e)
{
	struct candidate *list = calloc(s->count + 1, sizeof *list);
	size_t n = 0;

	if (list == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->count; i++)
		if (s->files[i].entry == NULL && s->files[i].digests != NULL)
			list[n++] = (struct candidate){&s->files[i], i, 0};
	if (n > 0)
		qsort(list, n, sizeof *list, compare_candidate);
	*ret = list;
	*ret_count = n;
	return 0;
}

static bool is_unknown(const struct survey *s, const char *path)
{
	char parent[PATH_LENGTH_MAX + 1];
	size_t ignored;

	for (size_t n = 0; path[n] != '\0' && n < sizeof parent - 1; n++) {
		parent[n] = '\0';
		if (path[n] == '/' && names_get(&s->broken, parent, &ignored))
			return true;
		parent[n] = path[n];
	}
	return false;
}

/* A file of the manifest that does not stand where it should. */
static int settle_absent(struct survey *s, const struct entry *entry, struct candidate *list,
			 size_t count, struct err *e)
{
	struct finding moved = {.kind = FINDING_MOVED, .path = entry->path};

	if (is_unknown(s, entry->path))
		return finding_add_reason(s->findings, FINDING_UNREADABLE, entry->path,
					  "a directory above it cannot be read", e);
	if (s->failure.code != ERR_NONE)
		return finding_add_reason(s->findings, FINDING_UNREADABLE, entry->path,
					  "the archive could not be read that far", e);
	size_t first = entry->size > 0 ? find_content(list, count, entry) : count;
	size_t i = first < count ? first + list[first].taken : count;
	if (i < count && compare_content(list[i].probe->digests, entry->size, entry->root) == 0) {
		struct survey_file *p = &s->files[list[i].index];
		list[first].taken++;
		p->taken = true;
		moved.found = p->name;
		return finding_add(s->findings, &moved, e);
	}
	return finding_add_reason(s->findings, FINDING_MISSING, entry->path, NULL, e);
}

static int settle_extra(struct survey *s, struct err *e)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct survey_file *p = &s->files[i];
		if (p->entry != NULL || p->taken || p->gone || p->silent)
			continue;
		if (p->error != NULL
			? finding_add_reason(s->findings, FINDING_UNREADABLE, p->name, p->error, e)
			: finding_add_reason(s->findings, FINDING_EXTRA, p->name, NULL, e))
			return -1;
	}
	return 0;
}

static int compare_all(struct survey *s, struct audit *ret, struct err *e)
{
	struct candidate *list = NULL;
	size_t count = 0;
	int status = -1;

	if (collect_candidates(s, &list, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < s->listing->count; i++) {
		const struct entry *entry = &s->listing->entries[i];
		if (!survey_wants(s, entry->path))
			continue;
		ret->checked++;
		ret->checked_bytes += entry->size;
		if (s->settled[i])
			continue;
		status = s->file_of[i] != SURVEY_NONE
			     ? settle_probe(s, entry, &s->files[s->file_of[i]], e)
			     : settle_absent(s, entry, list, count, e);
		if (status != 0)
			goto out;
	}
	status = settle_extra(s, e);
out:
	free(list);
	return status;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

bool audit_is_wrong(const struct audit_options *options, enum finding_kind kind)
{
	if (kind == FINDING_WRONG_MODE)
		return options->strict_modes;
	return kind != FINDING_OK;
}

int audit_run(const struct listing *listing, struct source *copy,
	      const struct audit_options *options, struct audit *ret, struct err *e)
{
	*ret = (struct audit)AUDIT_INIT;
	struct survey s = {
	    .listing = listing, .copy = copy, .options = options, .findings = &ret->findings};
	int status = survey_run(&s, e);

	if (status == 0)
		status = compare_all(&s, ret, e);
	if (status == 0) {
		finding_sort(&ret->findings);
		ret->failure = s.failure;
		ret->verified = !options->fast && s.failure.code == ERR_NONE;
	}
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		if (ret->findings.counts[kind] > 0 &&
		    audit_is_wrong(options, (enum finding_kind)kind))
			ret->verified = false;
	survey_release(&s);
	return status;
}

void audit_release(struct audit *a)
{
	finding_list_release(&a->findings);
}
