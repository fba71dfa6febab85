/* Input: an archive, audited as a copy of a small release. */
#define _GNU_SOURCE /* memfd_create() */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "swarm/audit.h"
#include "swarm/filehash.h"
#include "swarm/path.h"
#include "swarm/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECE 16384
#define FILES 5

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Two pieces and a bit of "a", the others "hello\n" or nothing. */
static const struct {
	const char *path;
	size_t size;
	bool exec;
} release[FILES] = {
    {"a/b/c", 6, false},           {"a/d", 0, false}, {"a.txt", 6, true},
    {"big", 2 * PIECE + 1, false}, {"z", 6, false},
};

static struct entry entries[FILES];
static struct filehash_digests digests[FILES];
static struct listing listing = {
    .entries = entries, .count = FILES, .header = {.piece_length = PIECE, .files = FILES}};

static void make_listing(void)
{
	static char bytes[2 * PIECE + 1];
	const struct filehash_options how = {.piece_length = PIECE, .plain = true};
	struct err e;
	struct filehash *f = filehash_new(&how, &e);

	check(f != NULL);
	for (size_t i = 0; i < FILES; i++) {
		memset(bytes, 'a', sizeof bytes);
		memcpy(bytes, release[i].size == 6 ? "hello\n" : "aaaaaa", 6);
		filehash_update(f, bytes, release[i].size);
		digests[i] = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
		check(filehash_final(f, &digests[i], &e) == 0);
		entries[i] = (struct entry){.path = release[i].path,
					    .size = release[i].size,
					    .has_sha256 = true,
					    .pieces = (const uint8_t *)digests[i].layer.data,
					    .piece_count = digests[i].layer.len / SHA256_SIZE,
					    .exec = release[i].exec,
					    .hot = ENTRY_NOT_HOT};
		memcpy(entries[i].sha256, digests[i].sha256, SHA256_SIZE);
		memcpy(entries[i].root, digests[i].root, SHA256_SIZE);
		listing.header.bytes += release[i].size;
	}
	filehash_free(f);
}

/* Every file of the release has a finding; one is enough to be wrong, none to be verified. */
static void check_audit(const struct audit *a, const struct audit_options *options)
{
	const struct report_options all = {.shown = SIZE_MAX, .ok = true};
	const struct finding_list *l = &a->findings;
	struct buf b = BUF_INIT;
	size_t found = 0, total = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct finding *f = &l->items[i];
		check(i == 0 || path_compare(l->items[i - 1].path, f->path) <= 0);
		check(!a->verified || !audit_is_wrong(options, f->kind));
		for (size_t k = 0; k < f->piece_count; k++) {
			check(f->pieces[k].first <= f->pieces[k].last);
			check(f->pieces[k].last < merkle_pieces(f->size, f->piece_length));
			check(k == 0 || f->pieces[k - 1].last + 1 < f->pieces[k].first);
		}
		finding_format(&b, f);
		check(memchr(b.data, '\n', b.len) == NULL);
		buf_clear(&b);
	}
	for (size_t i = 0; i < FILES; i++) {
		bool any = false;
		for (size_t k = 0; k < l->count; k++)
			any = any || strcmp(l->items[k].path, release[i].path) == 0;
		found += any;
	}
	check(found == FILES && a->checked == FILES);
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		total += l->counts[kind];
	check(total == l->count);
	if (a->verified)
		check(l->counts[FINDING_OK] == FILES && a->failure.code == ERR_NONE &&
		      !options->fast);
	report_findings(&b, a, &all);
	report_counts(&b, a);
	buf_release(&b);
}

static void audit(struct source *s, const struct audit_options *options)
{
	struct audit a;
	struct err e = {.code = ERR_NONE};

	if (audit_run(&listing, s, options, &a, &e) == 0)
		check_audit(&a, options);
	else
		check(e.code != ERR_NONE);
	audit_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct err e = {.code = ERR_NONE};
	const struct audit_options ways[] = {{.threads = 1, .strict_modes = true},
					     {.threads = 1, .fast = true, .strip = 1}};

	if (fd < 0) {
		fd = memfd_create("archive", MFD_CLOEXEC);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		make_listing();
	}
	check(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	for (size_t i = 0; i < 2; i++) {
		struct source *s = source_open(path, 1, &e);
		if (s != NULL)
			audit(s, &ways[i]);
		else
			check(e.code == ERR_MALFORMED);
		source_close(s);
	}
	return 0;
}
