#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "swarm/digest.h"

#include "patience.h"
#include "trees.h"

/* --- a libcrypto that can be told to fail once ------------------------------------------------ */

static atomic_long calls_left = -1;

int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t len)
{
	int (*real)(EVP_MD_CTX *, const void *, size_t);
	void *found = dlsym(RTLD_NEXT, "EVP_DigestUpdate");

	memcpy(&real, &found, sizeof real);
	if (atomic_load(&calls_left) >= 0 && atomic_fetch_sub(&calls_left, 1) == 0)
		return 0;
	return real(context, bytes, len);
}

/* --- files, and what is to happen to them ----------------------------------------------------- */

#define FILES_MAX ((size_t)700)
/* From here on a file is read in chunks. */
#define LARGE (512 * KIB + 1)

static const unsigned thread_counts[] = {8, 1, 2};

static uint8_t *content;
#define CONTENT (5 * MIB)

struct file;

struct watcher {
	struct onlooker onlooker; /* first: what is called gets a pointer to it */
	struct file *file;
	uint64_t seen;
	uint64_t fails_at; /* the byte that it cannot bear */
	bool fails_at_end, truncates, slow;
	bool disordered, failed;
	unsigned ended;
};

struct file {
	char path[32];
	size_t at, size; /* in content */
	uint64_t listed; /* what size() says */
	uint64_t limit;
	bool watched, unwanted, look_fails, look_writes;
	const struct source_item *expected;
	struct watcher watcher;
	/* What came of it. */
	atomic_uint wanted, looked, done;
	enum err_code code;
	int sys;
	char msg[200];
	uint64_t told_size;
	struct filehash_digests digests;
	/* What should have come; found out once. */
	bool is_known;
	struct filehash_digests right;
};

/* A job, and what it is about. */
struct job {
	struct filehash_options hash;
	struct file files[FILES_MAX];
	size_t count;
	atomic_long until_stop; /* done() says -1 at the call that finds 0 */
	atomic_bool bad_look;
};

static struct job *new_job(size_t piece_length, bool plain)
{
	struct job *job = calloc(1, sizeof *job);

	assert_non_null(job);
	job->hash = (struct filehash_options){piece_length, plain};
	atomic_store(&job->until_stop, -1);
	for (size_t i = 0; i < FILES_MAX; i++)
		buf_init(&job->files[i].digests.layer);
	return job;
}

static void free_job(struct job *job)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		filehash_release(&job->files[i].digests);
		if (job->files[i].is_known)
			filehash_release(&job->files[i].right);
	}
	free(job);
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, bytes + at, len - at);
		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_int_equal(close(fd), 0);
}

/* A file that is not there yet. */
static struct file *plan(struct job *job, size_t size)
{
	struct file *f = &job->files[job->count];

	assert_true(job->count < FILES_MAX);
	f->at = job->count * 4099 % (CONTENT - 3 * MIB);
	f->size = size;
	f->listed = size;
	f->limit = UINT64_MAX;
	f->watcher.file = f;
	f->watcher.fails_at = UINT64_MAX;
	(void)snprintf(f->path, sizeof f->path, "f%zu", job->count);
	job->count++;
	return f;
}

static struct file *put(struct job *job, size_t size)
{
	struct file *f = plan(job, size);

	write_file(f->path, content + f->at, f->size);
	return f;
}

static size_t hashed_size(const struct file *f)
{
	return f->size < f->limit ? f->size : (size_t)f->limit;
}

/* --- what digest calls ------------------------------------------------------------------------ */

static int see(struct onlooker *self, const void *bytes, size_t len, struct err *e)
{
	struct watcher *w = (struct watcher *)self;
	const struct file *f = w->file;

	if (w->failed || w->ended > 0 || len == 0 || w->seen + len > hashed_size(f) ||
	    memcmp(bytes, content + f->at + w->seen, len) != 0)
		w->disordered = true;
	w->seen += len;
	if (w->slow)
		(void)usleep(500);
	if (w->truncates && truncate(f->path, 1000) != 0)
		return err_sys(e, "cannot truncate");
	if (w->seen <= w->fails_at)
		return 0;
	w->failed = true;
	return err_set(e, ERR_REFUSED, "'%s' is not to be seen", f->path);
}

static int end(struct onlooker *self, struct err *e)
{
	struct watcher *w = (struct watcher *)self;

	w->ended++;
	return w->fails_at_end ? err_set(e, ERR_REFUSED, "'%s' ends badly", w->file->path) : 0;
}

static uint64_t size_of(void *context, size_t i)
{
	const struct job *job = context;

	return job->files[i].listed;
}

static bool want(void *context, size_t i, struct digest_file *ret, struct source_item *room)
{
	struct job *job = context;
	struct file *f = &job->files[i];

	atomic_fetch_add(&f->wanted, 1);
	if (f->unwanted)
		return false;
	ret->path = f->path;
	ret->limit = f->limit;
	if (f->expected != NULL) {
		*room = *f->expected;
		ret->expected = room;
	}
	if (f->watched) {
		f->watcher.onlooker = (struct onlooker){.see = see, .end = end};
		ret->onlooker = &f->watcher.onlooker;
	}
	return true;
}

static int look(void *context, size_t i, struct source_file *in, const uint8_t *first,
		size_t first_len, struct err *e)
{
	struct job *job = context;
	struct file *f = &job->files[i];
	/* Small ones whole, unless there was no room for what had grown. */
	bool whole = f->size < LARGE && f->listed == f->size;
	size_t size = hashed_size(f);
	size_t least = whole || size < DIGEST_FIRST ? size : DIGEST_FIRST;
	uint8_t byte[1];

	atomic_fetch_add(&f->looked, 1);
	if (first_len < least || first_len > size || memcmp(first, content + f->at, first_len) != 0)
		atomic_store(&job->bad_look, true);
	/* It is still open. */
	if (f->size > 0 && (source_file_read_at(in, f->size - 1, byte, 1, e) != 1 ||
			    byte[0] != content[f->at + f->size - 1]))
		atomic_store(&job->bad_look, true);
	if (f->look_writes)
		write_file(f->path, content, f->size + 1);
	return f->look_fails ? err_set(e, ERR_REFUSED, "'%s' looks bad", f->path) : 0;
}

static int done(void *context, size_t i, struct filehash_digests *digests, uint64_t size,
		const struct err *e)
{
	struct job *job = context;
	struct file *f = &job->files[i];

	atomic_fetch_add(&f->done, 1);
	if (e != NULL) {
		f->code = e->code;
		f->sys = e->sys;
		(void)snprintf(f->msg, sizeof f->msg, "%.199s", e->msg);
	} else {
		f->told_size = size;
		filehash_release(&f->digests);
		f->digests = *digests;
		buf_init(&digests->layer);
	}
	if (atomic_load(&job->until_stop) >= 0 && atomic_fetch_sub(&job->until_stop, 1) <= 0)
		return -1;
	return 0;
}

/* --- to run a job, and judge it --------------------------------------------------------------- */

static void forget(struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		struct file *f = &job->files[i];
		f->watcher.seen = f->watcher.ended = 0;
		f->watcher.failed = f->watcher.disordered = false;
		atomic_store(&f->wanted, 0);
		atomic_store(&f->looked, 0);
		atomic_store(&f->done, 0);
		f->code = ERR_NONE;
		f->msg[0] = '\0';
		f->told_size = 0;
		filehash_release(&f->digests);
	}
}

static int run_in(struct job *job, unsigned threads, const char *folder)
{
	struct err e = {.code = ERR_NONE};
	struct pool *pool = pool_new(threads, &e);
	struct source *source = source_open(folder, 1, &e);
	const struct digest_job what = {.source = source,
					.hash = job->hash,
					.count = job->count,
					.context = job,
					.size = size_of,
					.want = want,
					.look = look,
					.done = done};

	assert_non_null(pool);
	assert_non_null(source);
	forget(job);
	int status = digest_files(&what, pool, &e);
	assert_int_equal(e.code, ERR_NONE);
	source_close(source);
	pool_free(pool);
	return status;
}

static int run(struct job *job, unsigned threads)
{
	return run_in(job, threads, ".");
}

/* Whatever happened: told once, ended once, and all bytes in order. */
static void assert_proper(const struct job *job, size_t i)
{
	const struct file *f = &job->files[i];
	bool wanted = f->listed != DIGEST_SKIP, told = wanted && !f->unwanted;

	assert_int_equal(atomic_load(&f->wanted), wanted);
	if (atomic_load(&f->done) != told)
		fail_msg("'%s' was told of %u times", f->path, atomic_load(&f->done));
	assert_int_equal(f->watcher.ended, told && f->watched);
	assert_false(f->watcher.disordered);
	assert_true(atomic_load(&f->looked) <= told);
}

static void assert_digests(struct job *job, size_t i)
{
	struct file *f = &job->files[i];

	if (!f->is_known)
		define_digests(&job->hash, content + f->at, hashed_size(f), &f->right);
	f->is_known = true;
	const char *other = difference(&f->digests, &f->right);
	if (other != NULL)
		fail_msg("'%s' of %zu bytes in pieces of %zu: another %s", f->path, f->size,
			 (size_t)job->hash.piece_length, other);
}

static void assert_good(struct job *job, size_t i)
{
	const struct file *f = &job->files[i];

	assert_proper(job, i);
	if (f->code != ERR_NONE)
		fail_msg("%s", f->msg);
	assert_int_equal(f->told_size, f->size);
	assert_int_equal(atomic_load(&f->looked), 1);
	if (f->watched)
		assert_int_equal(f->watcher.seen, hashed_size(f));
	assert_digests(job, i);
}

/* The message: what is before the path, and behind it. */
static void assert_failed(const struct job *job, size_t i, enum err_code code, const char *before,
			  const char *behind)
{
	const struct file *f = &job->files[i];
	char msg[200];

	assert_proper(job, i);
	(void)snprintf(msg, sizeof msg, "%s'%s'%s", before, f->path, behind);
	assert_string_equal(f->msg, msg);
	assert_int_equal(f->code, code);
}

/* With each number of threads. */
static void assert_all_good(struct job *job)
{
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		assert_int_equal(run(job, thread_counts[t]), 0);
		assert_false(atomic_load(&job->bad_look));
		for (size_t i = 0; i < job->count; i++)
			assert_good(job, i);
	}
}

/* --- digests ---------------------------------------------------------------------------------- */

static void digests_do_not_depend_on_the_threads(void **state)
{
	static const size_t sizes[] = {
	    0,           1,      63,      64,      65,        16383,     16384,        16385,
	    2 * MIB + 7, 100000, LARGE,   0,       LARGE - 1, 65536,     65537,        262144,
	    262145,      786432, 786433,  MIB - 1, MIB,       MIB + 1,   3 * MIB,      0,
	    524287,      17,     1500000, 400000,  300000,    LARGE + 1, 256 * KIB - 1};
	static const size_t piece_lengths[] = {16 * KIB, 256 * KIB, 128 * MIB};

	(void)state;
	for (size_t p = 0; p < COUNT(piece_lengths); p++) {
		struct job *job = new_job(piece_lengths[p], p % 2 == 0);
		for (size_t i = 0; i < COUNT(sizes); i++)
			put(job, sizes[i])->watched = (i + p) % 3 == 0;
		assert_all_good(job);
		free_job(job);
	}
}

static void many_small_files_are_read_together(void **state)
{
	struct job *job = new_job(16 * KIB, true);

	(void)state;
	/* More than one thread takes at a time, both by number and by bytes. */
	for (size_t i = 0; i < 600; i++)
		put(job, i % 7 == 0 ? 0 : i * 13)->watched = i % 5 == 0;
	for (size_t i = 0; i < 12; i++)
		put(job, 200000 + i);
	assert_all_good(job);
	free_job(job);
}

/* Chunks wait for onlookers that take their time, and there is memory for only so many. */
static void there_may_be_more_large_files_than_threads(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct job *job = new_job(64 * KIB, plain == 1);
		for (size_t i = 0; i < 30; i++) {
			struct file *f = put(job, LARGE + i * 9001);
			f->watched = i % 4 != 3;
			f->watcher.slow = i % 4 == 0;
		}
		assert_all_good(job);
		free_job(job);
	}
}

static void there_may_be_nothing_to_read(void **state)
{
	struct job *job = new_job(64 * KIB, true);

	(void)state;
	assert_all_good(job);
	free_job(job);
}

static void what_is_not_wanted_is_not_told_of(void **state)
{
	struct job *job = new_job(64 * KIB, true);

	(void)state;
	for (size_t i = 0; i < 24; i++) {
		struct file *f = plan(job, i % 2 == 0 ? 100 : LARGE);
		f->listed = i % 3 == 0 ? DIGEST_SKIP : f->size;
		f->unwanted = i % 3 == 1;
		f->watched = i % 4 < 2;
		if (i % 3 == 2)
			write_file(f->path, content + f->at, f->size);
	}
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		assert_int_equal(run(job, thread_counts[t]), 0);
		for (size_t i = 0; i < job->count; i++) {
			if (i % 3 == 2)
				assert_good(job, i);
			else
				assert_proper(job, i);
		}
	}
	free_job(job);
}

static void no_more_is_hashed_than_the_limit(void **state)
{
	static const size_t limits[] = {0,     1,      63,     64,        100,   16384,
					16385, 100000, 262144, LARGE - 1, LARGE, 800000};

	(void)state;
	for (int listed = 0; listed < 2; listed++) {
		struct job *job = new_job(32 * KIB, true);
		for (size_t i = 0; i < 2 * COUNT(limits); i++) {
			struct file *f = put(job, i % 2 == 0 ? 300000 : MIB + 5);
			f->limit = limits[i / 2];
			f->watched = i % 3 == 0;
			/* Both are ways to say it: what it has, or what will be read of it. */
			if (listed == 1)
				f->listed = hashed_size(f);
		}
		assert_all_good(job);
		free_job(job);
	}
}

/* --- files that are not as they were listed --------------------------------------------------- */

static void files_may_have_grown_or_shrunk(void **state)
{
	static const size_t sizes[] = {0, 1, 100, 16385, 70000, 131072, 131073, 300000, LARGE, MIB};

	(void)state;
	struct job *job = new_job(64 * KIB, true);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (size_t k = 0; k < COUNT(sizes); k++) {
			struct file *f = put(job, sizes[i]);
			f->listed = sizes[k];
			f->watched = (i + k) % 3 == 0;
		}
	}
	assert_all_good(job);
	free_job(job);
}

/* All of one run, and each leaves less room for the next. */
static void files_may_all_have_grown(void **state)
{
	struct job *job = new_job(64 * KIB, true);

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		struct file *f = put(job, 60000 + i * 1777);
		f->listed = i % 2;
		f->watched = i % 3 == 0;
	}
	assert_all_good(job);
	free_job(job);
}

static void list(struct job *job, struct source_item *items)
{
	struct source_item item;
	struct err e;
	struct source *s = source_open(".", 1, &e);

	assert_non_null(s);
	while (source_next(s, &item, &e) > 0) {
		for (size_t i = 0; i < job->count; i++) {
			if (strcmp(item.path, job->files[i].path) != 0)
				continue;
			items[i] = item;
			items[i].path = job->files[i].path;
			job->files[i].expected = &items[i];
		}
	}
	source_close(s);
}

static void files_other_than_listed_are_refused(void **state)
{
	static const size_t sizes[] = {100, LARGE, 2 * MIB, 300000};
	static struct source_item items[FILES_MAX];
	struct job *job = new_job(64 * KIB, true);

	(void)state;
	for (size_t i = 0; i < 32; i++)
		put(job, sizes[i % 4])->watched = i % 3 == 0;
	list(job, items);
	assert_all_good(job);
	for (size_t i = 0; i < 32; i += 2) {
		struct file *f = &job->files[i];
		/* To the other side of what is small, or a little. */
		size_t now = i % 8 < 4 ? (f->size < LARGE ? LARGE : 50) : f->size + 1;
		write_file(f->path, content, now);
	}
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		assert_int_equal(run(job, thread_counts[t]), 0);
		for (size_t i = 0; i < job->count; i++) {
			if (i % 2 == 0)
				assert_failed(job, i, ERR_CHANGED, "",
					      " changed after the tree was listed");
			else
				assert_good(job, i);
		}
	}
	free_job(job);
}

static void files_that_cannot_be_opened_are_told_of(void **state)
{
	struct job *job = new_job(64 * KIB, true);

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		struct file *f = plan(job, i % 2 == 0 ? 100 : LARGE);
		f->watched = i % 3 != 0;
		if (i % 5 == 0)
			write_file(f->path, content + f->at, f->size);
		else if (i % 5 == 1)
			assert_int_equal(symlink("f0", f->path), 0);
		else if (i % 5 == 2)
			assert_int_equal(mkdir(f->path, 0755), 0);
	}
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		assert_int_equal(run(job, thread_counts[t]), 0);
		for (size_t i = 0; i < job->count; i++) {
			if (i % 5 == 0) {
				assert_good(job, i);
				continue;
			}
			if (i % 5 == 1)
				assert_failed(job, i, ERR_SYSTEM, "cannot open ",
					      ": Too many levels of symbolic links");
			else if (i % 5 == 2)
				assert_failed(job, i, ERR_CHANGED, "",
					      " is no regular file any more");
			else
				assert_failed(job, i, ERR_SYSTEM, "cannot open ",
					      ": No such file or directory");
			assert_int_equal(job->files[i].sys, i % 5 == 1   ? ELOOP
							    : i % 5 == 2 ? 0
									 : ENOENT);
			assert_int_equal(job->files[i].watcher.seen, 0);
		}
	}
	free_job(job);
}

static void files_that_change_while_they_are_read_are_refused(void **state)
{
	static const size_t sizes[] = {100, LARGE, 2 * MIB, 300000};

	(void)state;
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		struct job *job = new_job(64 * KIB, true);
		for (size_t i = 0; i < 24; i++) {
			struct file *f = put(job, sizes[i % 4]);
			f->watched = i % 3 != 1;
			f->look_writes = i % 3 == 1;
			f->watcher.truncates = i % 3 == 2 && f->size >= LARGE;
		}
		assert_int_equal(run(job, thread_counts[t]), 0);
		for (size_t i = 0; i < job->count; i++) {
			const struct file *f = &job->files[i];
			if (f->look_writes || f->watcher.truncates)
				assert_failed(job, i, ERR_CHANGED, "",
					      " changed while it was read");
			else
				assert_good(job, i);
		}
		free_job(job);
	}
}

/* There are file systems that say 0 of what is not empty. */
static void files_that_only_say_they_are_empty_are_refused(void **state)
{
	struct job *job = new_job(64 * KIB, true);
	struct file *f = plan(job, 0);

	(void)state;
	(void)snprintf(f->path, sizeof f->path, "status");
	f->watched = true;
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		assert_int_equal(run_in(job, thread_counts[t], "/proc/self"), 0);
		assert_failed(job, 0, ERR_CHANGED, "", " changed while it was read");
	}
	free_job(job);
}

/* --- those who look on ------------------------------------------------------------------------ */

static void what_onlookers_refuse_fails(void **state)
{
	static const size_t sizes[] = {100, LARGE, 2 * MIB, 300000};
	struct job *job = new_job(64 * KIB, true);

	(void)state;
	for (size_t i = 0; i < 48; i++) {
		struct file *f = put(job, sizes[i % 4]);
		f->watched = i % 12 != 11;
		if (i % 3 == 1)
			f->watcher.fails_at = i % 2 == 0 ? 0 : f->size - 1;
		f->watcher.fails_at_end = i % 3 == 2;
	}
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		assert_int_equal(run(job, thread_counts[t]), 0);
		for (size_t i = 0; i < job->count; i++) {
			if (i % 3 == 0 || i % 12 == 11)
				assert_good(job, i);
			else if (i % 3 == 1)
				assert_failed(job, i, ERR_REFUSED, "", " is not to be seen");
			else
				assert_failed(job, i, ERR_REFUSED, "", " ends badly");
		}
	}
	free_job(job);
}

/* The first failure is the one that is told. */
static void onlookers_do_not_hide_what_failed_before(void **state)
{
	struct job *job = new_job(64 * KIB, true);

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct file *f = i % 3 == 0 ? plan(job, i % 2 == 0 ? 100 : LARGE)
					    : put(job, i % 2 == 0 ? 100 : LARGE);
		f->watched = f->watcher.fails_at_end = true;
		f->watcher.fails_at = i % 3 == 1 ? 0 : UINT64_MAX;
		f->look_fails = i % 3 == 2;
	}
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		assert_int_equal(run(job, thread_counts[t]), 0);
		for (size_t i = 0; i < job->count; i += 3) {
			assert_failed(job, i, ERR_SYSTEM, "cannot open ",
				      ": No such file or directory");
			assert_failed(job, i + 1, ERR_REFUSED, "", " is not to be seen");
			assert_failed(job, i + 2, ERR_REFUSED, "", " looks bad");
		}
	}
	free_job(job);
}

static void what_looks_bad_fails(void **state)
{
	static const size_t sizes[] = {100, LARGE, 0, 2 * MIB};
	struct job *job = new_job(64 * KIB, false);

	(void)state;
	for (size_t i = 0; i < 24; i++) {
		struct file *f = put(job, sizes[i % 4]);
		f->look_fails = i % 3 == 0;
		f->watched = i % 2 == 0;
	}
	for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++) {
		assert_int_equal(run(job, thread_counts[t]), 0);
		assert_false(atomic_load(&job->bad_look));
		for (size_t i = 0; i < job->count; i++) {
			if (i % 3 == 0)
				assert_failed(job, i, ERR_REFUSED, "", " looks bad");
			else
				assert_good(job, i);
		}
	}
	free_job(job);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* What was begun is told of once and ended once, whenever it is stopped. */
static void assert_stopped(struct job *job, unsigned threads, long after)
{
	size_t told = 0;

	atomic_store(&job->until_stop, after);
	assert_int_equal(run(job, threads), -1);
	for (size_t i = 0; i < job->count; i++) {
		const struct file *f = &job->files[i];
		unsigned wanted = atomic_load(&f->wanted);
		assert_true(wanted <= 1);
		assert_int_equal(atomic_load(&f->done), wanted);
		assert_int_equal(f->watcher.ended, wanted > 0 && f->watched);
		assert_false(f->watcher.disordered);
		told += wanted;
		if (wanted == 0)
			continue;
		if (f->code == ERR_NONE)
			assert_digests(job, i);
		else
			assert_failed(job, i, ERR_SYSTEM, "", " was not read to its end");
	}
	assert_true(told > (size_t)after);
}

static void whoever_is_told_may_end_the_job(void **state)
{
	static const long moments[] = {0, 3, 11, 25};

	(void)state;
	for (int large = 0; large < 3; large++) {
		struct job *job = new_job(64 * KIB, large != 1);
		for (size_t i = 0; i < 32; i++) {
			bool is_large = large == 0 ? false : large == 1 ? true : i % 2 == 0;
			struct file *f = put(job, is_large ? LARGE + i * 3000 : i * 100);
			f->watched = i % 3 != 0;
			f->watcher.slow = i % 6 == 1;
		}
		for (size_t t = 0; t < patience(COUNT(thread_counts), 1); t++)
			for (size_t k = 0; k < COUNT(moments); k++)
				assert_stopped(job, thread_counts[t], moments[k]);
		free_job(job);
	}
}

/* Chunks of a file are hashed by several threads, and any of them can be the one that cannot. */
static void no_digest_of_a_broken_libcrypto_is_told(void **state)
{
	(void)state;
	assert_int_equal(setenv("SWARM_HASH", "openssl", 1), 0);
	for (int plain = 0; plain < 2; plain++) {
		struct job *job = new_job(64 * KIB, plain == 1);
		for (size_t i = 0; i < 24; i++)
			put(job, i % 4 == 3 ? 20000 : LARGE + i * 10000)->watched = i % 3 == 0;
		for (long call = 150; call < 900; call += 213) {
			size_t failed = 0;
			atomic_store(&calls_left, call);
			int status = run(job, call % 2 == 0 ? 2 : 4);
			atomic_store(&calls_left, -1);
			assert_int_equal(status, 0);
			for (size_t i = 0; i < job->count; i++) {
				assert_proper(job, i);
				if (job->files[i].code == ERR_NONE)
					assert_digests(job, i);
				else
					assert_string_equal(
					    job->files[i].msg,
					    "libcrypto failed to compute a SHA-256");
				failed += job->files[i].code != ERR_NONE;
			}
			assert_true(failed > 0);
		}
		free_job(job);
	}
	assert_int_equal(unsetenv("SWARM_HASH"), 0);
}

static void a_job_that_cannot_start_is_an_error(void **state)
{
	struct err e = {.code = ERR_NONE};
	struct job *job = new_job(64 * KIB, true);
	struct pool *pool = pool_new(2, &e);
	struct source *source = source_open(".", 1, &e);

	(void)state;
	put(job, 100)->watched = true;
	assert_int_equal(setenv("SWARM_HASH", "nonsense", 1), 0);
	const struct digest_job what = {.source = source,
					.hash = job->hash,
					.count = job->count,
					.context = job,
					.size = size_of,
					.want = want,
					.done = done};
	assert_int_equal(digest_files(&what, pool, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(atomic_load(&job->files[0].wanted), 0);
	assert_int_equal(atomic_load(&job->files[0].done), 0);
	assert_int_equal(job->files[0].watcher.ended, 0);
	/* What all files' trees are padded with cannot be hashed. */
	assert_int_equal(setenv("SWARM_HASH", "openssl", 1), 0);
	atomic_store(&calls_left, 10);
	int status = digest_files(&what, pool, &e);
	atomic_store(&calls_left, -1);
	assert_int_equal(status, -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "libcrypto failed to compute a SHA-256");
	assert_int_equal(atomic_load(&job->files[0].wanted), 0);
	assert_int_equal(unsetenv("SWARM_HASH"), 0);
	/* The same without look(). */
	assert_int_equal(digest_files(&what, pool, &e), 0);
	assert_int_equal(atomic_load(&job->files[0].done), 1);
	assert_digests(job, 0);
	source_close(source);
	pool_free(pool);
	free_job(job);
}

/* --- all -------------------------------------------------------------------------------------- */

/* Every test works in a folder of its own. */
static char folder[64];

static int enter_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-digest-XXXXXX");
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

static int make(void **state)
{
	(void)state;
	content = make_content(CONTENT, 1);
	return content != NULL ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	free(content);
	return 0;
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(digests_do_not_depend_on_the_threads),
	    IN_FOLDER(many_small_files_are_read_together),
	    IN_FOLDER(there_may_be_more_large_files_than_threads),
	    IN_FOLDER(there_may_be_nothing_to_read),
	    IN_FOLDER(what_is_not_wanted_is_not_told_of),
	    IN_FOLDER(no_more_is_hashed_than_the_limit),
	    IN_FOLDER(files_may_have_grown_or_shrunk),
	    IN_FOLDER(files_may_all_have_grown),
	    IN_FOLDER(files_other_than_listed_are_refused),
	    IN_FOLDER(files_that_cannot_be_opened_are_told_of),
	    IN_FOLDER(files_that_change_while_they_are_read_are_refused),
	    IN_FOLDER(files_that_only_say_they_are_empty_are_refused),
	    IN_FOLDER(what_onlookers_refuse_fails),
	    IN_FOLDER(onlookers_do_not_hide_what_failed_before),
	    IN_FOLDER(what_looks_bad_fails),
	    IN_FOLDER(whoever_is_told_may_end_the_job),
	    IN_FOLDER(no_digest_of_a_broken_libcrypto_is_told),
	    IN_FOLDER(a_job_that_cannot_start_is_an_error),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
