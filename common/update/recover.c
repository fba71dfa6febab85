#include "swarm/recover.h"

#include <stdlib.h>

#include "swarm/buf.h"
#include "swarm/swap.h"
#include "swarm/text.h"

/* Proves all of one release, each file where it is; `places` NULL: in the tree. Returns 1 if so. */
static int is_release(const struct recover *r, const struct listing *listing, bool in,
		      const enum staging_part *places, struct faults *ret_wrong, struct err *e)
{
	size_t before = ret_wrong->count;
	enum staging_part *parts = calloc(listing->count, sizeof *parts);

	if (parts == NULL)
		return err_nomem(e);
	for (size_t i = 0; places != NULL && i < r->journal->count; i++) {
		const struct journal_move *m = &r->journal->moves[i];
		const struct entry *entry = m->in == in ? listing_find(listing, m->path) : NULL;
		if (entry != NULL)
			parts[entry - listing->entries] = places[i];
	}
	int status = apply_check_tree(r->apply, listing, parts, ret_wrong, e);
	free(parts);
	return status == 0 ? ret_wrong->count == before : -1;
}

/* Once the journal is gone nothing is known of the staged files but that nobody needs them. */
static int drop_journal(const struct recover *r, struct err *e)
{
	if (journal_remove(staging_path(r->staging), e) != 0)
		return -1;
	return staging_sync(r->staging, e);
}

static int refuse(const struct recover *r, const struct faults *wrong, const char *what,
		  struct err *e)
{
	struct buf text = BUF_INIT;

	text_plural(&text, wrong->count, "file");
	(void)err_set(e, ERR_UNTRUSTED,
		      "the interrupted update of '%s' to %s can neither be finished nor undone: "
		      "%s %s: put all of the old or of the new release in its place, and run this "
		      "again",
		      staging_target(r->staging), r->journal->to.version, text.data, what);
	buf_release(&text);
	return -1;
}

static int go_on(const struct recover *r, const enum staging_part *places, struct faults *ret_wrong,
		 struct err *e)
{
	struct faults old = FAULTS_INIT;
	int got = 0;

	if (r->ours)
		got = is_release(r, &r->warrant->new, true, places, ret_wrong, e);
	if (got > 0) {
		got = swap_run(r->staging, r->journal, true, r->scratch, e) == 0 ? 1 : -1;
		goto out;
	}
	if (got == 0)
		got = is_release(r, &r->warrant->old, false, places, r->ours ? &old : ret_wrong, e);
	if (got > 0) {
		faults_release(ret_wrong);
		got = swap_undo(r->staging, r->journal, r->scratch, e);
	} else if (got == 0) {
		got = refuse(r, ret_wrong, "not right", e);
	}
out:
	faults_release(&old);
	return got;
}

/* The tree is not as the moves left it: somebody may have put a whole release there. */
static int start_over(const struct recover *r, const struct faults *conflicts, struct err *e)
{
	struct faults old = FAULTS_INIT, new = FAULTS_INIT;
	int status = -1;
	int got = is_release(r, &r->warrant->old, false, NULL, &old, e);

	if (got > 0)
		status = drop_journal(r, e);
	if (got == 0) {
		got = is_release(r, &r->warrant->new, true, NULL, &new, e);
		if (got > 0)
			status = drop_journal(r, e) == 0 ? 1 : -1;
		else if (got == 0)
			status = refuse(r, conflicts, "not where the update left them", e);
	}
	faults_release(&old);
	faults_release(&new);
	return status;
}

int recover_run(const struct recover *r, struct faults *ret_wrong, struct err *e)
{
	enum staging_part *places = calloc(r->journal->count + 1, sizeof *places);
	int status = -1;

	if (places == NULL)
		return err_nomem(e);
	if (swap_examine(r->staging, r->journal, places, ret_wrong, e) == 0)
		status = ret_wrong->count > 0 ? start_over(r, ret_wrong, e)
					      : go_on(r, places, ret_wrong, e);
	if (status >= 0)
		faults_release(ret_wrong);
	free(places);
	return status;
}
