#define _GNU_SOURCE /* RTLD_NEXT, getdents64() */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "swarm/audit.h"
#include "swarm/filehash.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PIECE        ((size_t)16384)

/* --- a disk with a directory that cannot be read -----------------------------------------------
 */

static ino_t unreadable;

ssize_t getdents64(int fd, void *to, size_t len)
{
	ssize_t (*real)(int, void *, size_t);
	void *found = dlsym(RTLD_NEXT, "getdents64");
	struct stat st;

	assert_non_null(found);
	memcpy(&real, &found, sizeof real);
	if (unreadable != 0 && fstat(fd, &st) == 0 && st.st_ino == unreadable) {
		errno = EIO;
		return -1;
	}
	return real(fd, to, len);
}

/* --- a release -------------------------------------------------------------------------------- */

static const struct {
	const char *path;
	size_t size;
	bool exec;
} release[] = {
    {"a/b/c.js", 100, false},
    {"a/d.js", PIECE, false},
    {"a/empty", 0, false},
    {"a.txt", 101, true},
    {"big.bin", 5 * PIECE + 7, false},
    {"even.bin", 3 * PIECE, false},
    {"one-more.bin", PIECE + 1, false},
    {"z.txt", 33, false},
};

#define FILES COUNT(release)

#define ALL_OK                                                                              \
	"a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:ok even.bin:ok one-more.bin:ok " \
	"z.txt:ok"

static struct entry entries[FILES], as_made[FILES];
static struct filehash_digests digests[FILES];
static struct listing listing = {
    .entries = entries, .count = FILES, .header = {.piece_length = PIECE, .files = FILES}};
static char content[FILES][6 * PIECE];

static int make_release(void **state)
{
	const struct filehash_options how = {.piece_length = PIECE, .plain = true};
	struct err e;
	struct filehash *f = filehash_new(&how, &e);

	(void)state;
	for (size_t i = 0; i < FILES && f != NULL; i++) {
		for (size_t k = 0; k < release[i].size; k++)
			content[i][k] = (char)((k ^ k >> 8) * 31 + i * 97);
		filehash_update(f, content[i], release[i].size);
		digests[i] = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
		if (filehash_final(f, &digests[i], &e) != 0)
			return -1;
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
	memcpy(as_made, entries, sizeof entries);
	filehash_free(f);
	return f != NULL ? 0 : -1;
}

static int free_release(void **state)
{
	(void)state;
	for (size_t i = 0; i < FILES; i++)
		filehash_release(&digests[i]);
	return 0;
}

/* --- copies of it ----------------------------------------------------------------------------- */

static char home[64];

static void write_bytes(const char *path, const char *bytes, size_t size, bool exec)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, exec ? 0755 : 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(close(fd), 0);
}

static void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text), false);
}

/* Every test works in a folder of its own, with a good copy in "t". */
static int enter_home(void **state)
{
	(void)state;
	memcpy(entries, as_made, sizeof entries);
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-audit-XXXXXX");
	if (mkdtemp(home) == NULL || chdir(home) != 0 || mkdir("t", 0755) != 0 ||
	    mkdir("t/a", 0755) != 0 || mkdir("t/a/b", 0755) != 0)
		return -1;
	for (size_t i = 0; i < FILES; i++) {
		char path[64];
		(void)snprintf(path, sizeof path, "t/%s", release[i].path);
		write_bytes(path, content[i], release[i].size, release[i].exec);
	}
	return 0;
}

static int leave_home(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", home);
	return chdir("/") == 0 ? system(command) : -1;
}

static void flip(const char *path, off_t at)
{
	char byte;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)(byte ^ 1);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_int_equal(close(fd), 0);
}

struct member {
	const char *path;
	char type; /* f: of the release; e: with other bytes; d, l, h: target in `content` */
	const char *content;
};

static const char *content_of(const char *path, size_t *ret_size, bool *ret_exec)
{
	for (size_t i = 0; i < FILES; i++) {
		if (strcmp(release[i].path, path) == 0) {
			*ret_size = release[i].size;
			*ret_exec = release[i].exec;
			return content[i];
		}
	}
	fail_msg("'%s' is not of the release", path);
	return NULL;
}

static void pack(const struct member *members, size_t count)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, "x.tar"), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		const struct member *m = &members[i];
		size_t size = m->type == 'e' ? strlen(m->content) : 0;
		bool exec = false;
		const char *bytes =
		    m->type == 'f'
			? content_of(m->content != NULL ? m->content : m->path, &size, &exec)
			: m->content;
		archive_entry_clear(entry);
		archive_entry_set_pathname(entry, m->path);
		archive_entry_set_perm(entry, exec ? 0755 : 0644);
		archive_entry_set_filetype(entry, m->type == 'd'   ? AE_IFDIR
						  : m->type == 'l' ? AE_IFLNK
								   : AE_IFREG);
		archive_entry_set_size(entry, (la_int64_t)size);
		if (m->type == 'l')
			archive_entry_set_symlink(entry, m->content);
		if (m->type == 'h')
			archive_entry_set_hardlink(entry, m->content);
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		if (size > 0)
			assert_int_equal(archive_write_data(a, bytes, size), size);
	}
	archive_entry_free(entry);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

/* --- audits ----------------------------------------------------------------------------------- */

static const struct audit_options plain = {.threads = 2};

static int run(const char *path, const struct audit_options *options, struct audit *ret,
	       struct err *e)
{
	*e = (struct err){.code = ERR_NONE};
	struct source *s = source_open(path, 1, e);
	if (s == NULL)
		fail_msg("%s", e->msg);
	int status = audit_run(&listing, s, options, ret, e);
	source_close(s);
	return status;
}

/* "path:kind" of each finding, and ">found" where it is now, with spaces between. */
static void describe(const struct audit *a, struct buf *to)
{
	for (size_t i = 0; i < a->findings.count; i++) {
		const struct finding *f = &a->findings.items[i];
		buf_addf(to, "%s%s:%s", i > 0 ? " " : "", f->path, finding_name(f->kind));
		if (f->found != NULL)
			buf_addf(to, ">%s", f->found);
		for (size_t k = 0; k < f->piece_count; k++)
			buf_addf(to, "[%llu-%llu]", (unsigned long long)f->pieces[k].first,
				 (unsigned long long)f->pieces[k].last);
	}
}

static void assert_audit(const char *path, const struct audit_options *options, bool verified,
			 const char *want)
{
	struct audit a;
	struct err e;
	struct buf b = BUF_INIT;

	if (run(path, options, &a, &e) != 0)
		fail_msg("%s", e.msg);
	describe(&a, &b);
	assert_string_equal(b.data, want);
	assert_int_equal(a.verified, verified);
	buf_release(&b);
	audit_release(&a);
	audit_release(&a);
}

static void audit_of_a_good_copy_is_verified(void **state)
{
	struct audit a;
	struct err e;

	(void)state;
	assert_audit("t", &plain, true, ALL_OK);
	assert_audit("t", &(struct audit_options){.threads = 1}, true, ALL_OK);
	assert_audit("t", &(struct audit_options){.roots_only = true}, true, ALL_OK);
	assert_int_equal(run("t", &plain, &a, &e), 0);
	assert_int_equal(a.checked, FILES);
	assert_int_equal(a.checked_bytes, listing.header.bytes);
	assert_int_equal(a.findings.counts[FINDING_OK], FILES);
	audit_release(&a);
}

/* One flipped bit: just the piece that it is in, first and last bytes of each. */
static void audit_names_the_bad_pieces(void **state)
{
	(void)state;
	for (size_t piece = 0; piece < 6; piece++) {
		for (int end = 0; end < 2; end++) {
			char want[300];
			off_t at =
			    (off_t)(piece * PIECE + (end == 1 ? (piece < 5 ? PIECE : 7) - 1 : 0));
			flip("t/big.bin", at);
			(void)snprintf(
			    want, sizeof want,
			    "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok "
			    "big.bin:corrupt[%zu-%zu] even.bin:ok one-more.bin:ok z.txt:ok",
			    piece, piece);
			assert_audit("t", &plain, false, want);
			flip("t/big.bin", at);
		}
	}
	flip("t/big.bin", 0);
	flip("t/big.bin", (off_t)PIECE);
	flip("t/big.bin", (off_t)(5 * PIECE));
	flip("t/a/d.js", 5);
	flip("t/a.txt", 5);
	assert_audit("t", &plain, false,
		     "a/b/c.js:ok a/d.js:corrupt[0-0] a/empty:ok a.txt:corrupt[0-0] "
		     "big.bin:corrupt[0-1][5-5] even.bin:ok one-more.bin:ok z.txt:ok");
}

static void audit_of_a_file_of_another_size(void **state)
{
	static const struct {
		const char *path;
		size_t size;
		const char *want;
	} cases[] = {
	    {"t/big.bin", 5 * PIECE + 6, "big.bin:corrupt[5-5]"},
	    {"t/big.bin", 5 * PIECE, "big.bin:corrupt[5-5]"},
	    {"t/big.bin", 5 * PIECE - 1, "big.bin:corrupt[4-5]"},
	    {"t/big.bin", PIECE + 1, "big.bin:corrupt[1-5]"},
	    {"t/big.bin", PIECE, "big.bin:corrupt[1-5]"},
	    {"t/big.bin", PIECE - 1, "big.bin:corrupt[0-5]"},
	    {"t/big.bin", 0, "big.bin:corrupt[0-5]"},
	    /* Behind its end is what should not be there: all of its own bytes are right. */
	    {"t/big.bin", 5 * PIECE + 8, "big.bin:corrupt"},
	    {"t/even.bin", 3 * PIECE + 1, "even.bin:corrupt"},
	    {"t/even.bin", 2 * PIECE, "even.bin:corrupt[2-2]"},
	    {"t/one-more.bin", PIECE, "one-more.bin:corrupt[1-1]"},
	    {"t/a/d.js", PIECE + 1, "a/d.js:corrupt"},
	    {"t/a/d.js", PIECE - 1, "a/d.js:corrupt[0-0]"},
	    {"t/a/empty", 1, "a/empty:corrupt"},
	    {"t/z.txt", 0, "z.txt:corrupt[0-0]"},
	    {"t/z.txt", 34, "z.txt:corrupt"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct audit a;
		struct err e;
		struct buf b = BUF_INIT;
		size_t size;
		bool exec;
		assert_int_equal(truncate(cases[i].path, (off_t)cases[i].size), 0);
		assert_int_equal(run("t", &plain, &a, &e), 0);
		describe(&a, &b);
		if (strstr(b.data, cases[i].want) == NULL)
			fail_msg("%s of %zu bytes: %s", cases[i].path, cases[i].size, b.data);
		const char *end = strstr(b.data, cases[i].want) + strlen(cases[i].want);
		assert_true(*end == ' ' || *end == '\0');
		assert_int_equal(a.findings.counts[FINDING_OK], FILES - 1);
		assert_int_equal(a.findings.counts[FINDING_CORRUPT], 1);
		for (size_t k = 0; k < a.findings.count; k++)
			if (a.findings.items[k].kind == FINDING_CORRUPT)
				assert_int_equal(a.findings.items[k].found_size, cases[i].size);
		audit_release(&a);
		buf_release(&b);
		const char *bytes = content_of(cases[i].path + 2, &size, &exec);
		write_bytes(cases[i].path, bytes, size, exec);
	}
	assert_audit("t", &plain, true, ALL_OK);
}

static void audit_tells_missing_extra_and_moved_apart(void **state)
{
	(void)state;
	assert_int_equal(unlink("t/z.txt"), 0);
	write_text("t/new.txt", "something else");
	assert_int_equal(rename("t/even.bin", "t/a/even-moved.bin"), 0);
	assert_int_equal(unlink("t/a/empty"), 0);
	write_text("t/other-empty", "");
	assert_audit("t", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:missing a.txt:ok big.bin:ok "
		     "even.bin:moved>a/even-moved.bin new.txt:extra one-more.bin:ok "
		     "other-empty:extra z.txt:missing");
	assert_audit("t", &(struct audit_options){.ignore_extra = true}, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:missing a.txt:ok big.bin:ok "
		     "even.bin:moved>a/even-moved.bin one-more.bin:ok z.txt:missing");
}

static void audit_takes_a_moved_file_once(void **state)
{
	(void)state;
	assert_int_equal(rename("t/even.bin", "t/x"), 0);
	assert_int_equal(link("t/x", "t/y"), 0);
	assert_audit("t", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:ok even.bin:moved>x "
		     "one-more.bin:ok y:extra z.txt:ok");
	/* A copy of what is in its place is just extra. */
	assert_int_equal(rename("t/x", "t/even.bin"), 0);
	assert_audit("t", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:ok even.bin:ok "
		     "one-more.bin:ok y:extra z.txt:ok");
}

/* Two files of one content are gone, and there is one copy of it. */
static void audit_takes_a_moved_file_for_one_only(void **state)
{
	(void)state;
	entries[7] = entries[0];
	entries[7].path = "z.txt";
	assert_int_equal(unlink("t/z.txt"), 0);
	assert_int_equal(rename("t/a/b/c.js", "t/moved"), 0);
	assert_audit("t", &plain, false,
		     "a/b/c.js:moved>moved a/d.js:ok a/empty:ok a.txt:ok big.bin:ok even.bin:ok "
		     "one-more.bin:ok z.txt:missing");
}

static void audit_tells_what_stands_in_a_files_place(void **state)
{
	(void)state;
	assert_int_equal(unlink("t/z.txt"), 0);
	assert_int_equal(symlink("a.txt", "t/z.txt"), 0);
	assert_int_equal(unlink("t/big.bin"), 0);
	assert_int_equal(mkdir("t/big.bin", 0755), 0);
	assert_int_equal(unlink("t/even.bin"), 0);
	assert_int_equal(mkfifo("t/even.bin", 0600), 0);
	assert_int_equal(unlink("t/a/b/c.js"), 0);
	assert_int_equal(rmdir("t/a/b"), 0);
	write_text("t/a/b", "a file");
	assert_int_equal(symlink("/etc/passwd", "t/stray"), 0);
	assert_int_equal(mkdir("t/empty-folder", 0755), 0);
	assert_audit("t", &plain, false,
		     "a/b:wrong-type a/b/c.js:missing a/d.js:ok a/empty:ok a.txt:ok "
		     "big.bin:wrong-type even.bin:wrong-type one-more.bin:ok stray:extra "
		     "z.txt:wrong-type");
}

/* A folder that is replaced by a link to a good copy of it is not what was released. */
static void audit_does_not_follow_links_to_folders(void **state)
{
	(void)state;
	assert_int_equal(rename("t/a", "elsewhere"), 0);
	assert_int_equal(symlink("../elsewhere", "t/a"), 0);
	assert_audit("t", &plain, false,
		     "a:wrong-type a/b/c.js:missing a/d.js:missing a/empty:missing a.txt:ok "
		     "big.bin:ok even.bin:ok one-more.bin:ok z.txt:ok");
}

static void audit_modes_are_a_warning_unless_strict(void **state)
{
	(void)state;
	assert_int_equal(chmod("t/a.txt", 0644), 0);
	assert_int_equal(chmod("t/z.txt", 0755), 0);
	static const char want[] =
	    "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:wrong-mode a.txt:ok "
	    "big.bin:ok even.bin:ok one-more.bin:ok z.txt:wrong-mode z.txt:ok";
	assert_audit("t", &plain, true, want);
	assert_audit("t", &(struct audit_options){.strict_modes = true}, false, want);
	/* Only the owner's bit counts. */
	assert_int_equal(chmod("t/a.txt", 0700), 0);
	assert_int_equal(chmod("t/z.txt", 0655), 0);
	assert_audit("t", &(struct audit_options){.strict_modes = true}, true, ALL_OK);
}

static void audit_refuses_names_that_no_release_has(void **state)
{
	(void)state;
	write_text("t/nul.txt", "");
	write_text("t/not\xFFutf8", "");
	assert_audit("t", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:ok even.bin:ok "
		     "not\xFFutf8:unsafe-path nul.txt:unsafe-path one-more.bin:ok z.txt:ok");
	assert_audit("t", &(struct audit_options){.ignore_extra = true}, true, ALL_OK);
}

static void audit_fast_looks_at_sizes_only(void **state)
{
	const struct audit_options fast = {.fast = true};

	(void)state;
	flip("t/big.bin", 0);
	assert_audit("t", &fast, false, ALL_OK);
	assert_int_equal(truncate("t/big.bin", 5), 0);
	assert_int_equal(rename("t/z.txt", "t/y.txt"), 0);
	assert_audit("t", &fast, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:corrupt even.bin:ok "
		     "one-more.bin:ok y.txt:extra z.txt:missing");
}

/* A manifest whose root and plain digest are of different contents. */
static void audit_reads_the_plain_digest_too(void **state)
{
	(void)state;
	entries[7].sha256[0] ^= 1;
	assert_audit("t", &(struct audit_options){.roots_only = true}, true, ALL_OK);
	assert_audit("t", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:ok even.bin:ok "
		     "one-more.bin:ok z.txt:corrupt");
	entries[7].has_sha256 = false;
	assert_audit("t", &plain, true, ALL_OK);
}

static struct glob *new_glob(const char *pattern)
{
	struct err e;
	struct glob *g = glob_new(pattern, &e);

	assert_non_null(g);
	return g;
}

static void audit_only_looks_at_what_matches(void **state)
{
	struct glob *only[] = {new_glob("*.bin"), new_glob("!one*")};
	const struct audit_options options = {.only = only, .only_count = 2};
	struct audit a;
	struct err e;

	(void)state;
	flip("t/a.txt", 0);
	flip("t/one-more.bin", 0);
	assert_int_equal(unlink("t/z.txt"), 0);
	write_text("t/extra.txt", "");
	assert_audit("t", &options, true, "big.bin:ok even.bin:ok");
	write_text("t/extra.bin", "");
	flip("t/even.bin", 0);
	assert_audit("t", &options, false, "big.bin:ok even.bin:corrupt[0-0] extra.bin:extra");
	assert_int_equal(run("t", &options, &a, &e), 0);
	assert_int_equal(a.checked, 2);
	audit_release(&a);
	/* A check that checks nothing is none. */
	struct glob *none[] = {new_glob("*.xyz")};
	const struct audit_options nothing = {.only = none, .only_count = 1};
	assert_int_equal(run("t", &nothing, &a, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "--only matches no file of the manifest");
	assert_false(a.verified);
	audit_release(&a);
	glob_free(only[0]);
	glob_free(only[1]);
	glob_free(none[0]);
}

static void audit_of_an_empty_copy_misses_all(void **state)
{
	(void)state;
	assert_int_equal(mkdir("empty", 0755), 0);
	assert_audit("empty", &plain, false,
		     "a/b/c.js:missing a/d.js:missing a/empty:missing a.txt:missing "
		     "big.bin:missing even.bin:missing one-more.bin:missing z.txt:missing");
}

/* What cannot be read is not missing: nothing is known of it. */
static void audit_knows_nothing_of_what_it_cannot_read(void **state)
{
	struct audit a;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	(void)state;
	struct source *s = source_open("t", 1, &e);
	assert_non_null(s);
	struct stat st;
	assert_int_equal(stat("t/a/b", &st), 0);
	unreadable = st.st_ino;
	int status = audit_run(&listing, s, &(struct audit_options){.threads = 1}, &a, &e);
	unreadable = 0;
	assert_int_equal(status, 0);
	describe(&a, &b);
	assert_string_equal(b.data, "a/b:unreadable a/b/c.js:unreadable a/d.js:ok a/empty:ok "
				    "a.txt:ok big.bin:ok even.bin:ok one-more.bin:ok z.txt:ok");
	assert_false(a.verified);
	audit_release(&a);
	source_close(s);
	buf_release(&b);
}

static void audit_writes_nothing(void **state)
{
	(void)state;
	flip("t/big.bin", 0);
	write_text("t/extra", "");
	assert_int_equal(system("find t -printf '%p %m %s %T@ %C@ %i\\n' | sort >before"), 0);
	assert_audit("t", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:corrupt[0-0] even.bin:ok "
		     "extra:extra one-more.bin:ok z.txt:ok");
	assert_int_equal(system("find t -printf '%p %m %s %T@ %C@ %i\\n' | sort | cmp before -"),
			 0);
}

/* --- archives --------------------------------------------------------------------------------- */

static const struct member whole[] = {
    {"z.txt", 'f', NULL},   {"a/", 'd', NULL},       {"a/b/c.js", 'f', NULL},
    {"a/d.js", 'f', NULL},  {"a/empty", 'f', NULL},  {"a.txt", 'f', NULL},
    {"big.bin", 'f', NULL}, {"even.bin", 'f', NULL}, {"one-more.bin", 'f', NULL},
};

static void audit_reads_archives_in_any_order(void **state)
{
	(void)state;
	pack(whole, COUNT(whole));
	assert_audit("x.tar", &plain, true, ALL_OK);
	assert_audit("x.tar", &(struct audit_options){.threads = 1, .strict_modes = true}, true,
		     ALL_OK);
	flip("x.tar", 512 + 5);
	assert_audit("x.tar", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:ok even.bin:ok "
		     "one-more.bin:ok z.txt:corrupt[0-0]");
}

static void audit_of_archives_finds_moved_files(void **state)
{
	static const struct member members[] = {
	    {"new/z.txt", 'f', "z.txt"}, {"a/b/c.js", 'f', NULL},        {"a/d.js", 'f', NULL},
	    {"a/empty", 'f', NULL},      {"a.txt", 'f', NULL},           {"big.bin", 'f', NULL},
	    {"even.bin", 'f', NULL},     {"one-more.bin", 'e', "short"},
	};

	(void)state;
	pack(members, COUNT(members));
	assert_audit("x.tar", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:ok big.bin:ok even.bin:ok "
		     "one-more.bin:corrupt[0-1] z.txt:moved>new/z.txt");
}

static void audit_of_archives_strips_components(void **state)
{
	static const struct member members[] = {{"top/z.txt", 'f', "z.txt"},
						{"top/a/b/c.js", 'f', "a/b/c.js"},
						{"top/a/d.js", 'f', "a/d.js"},
						{"top/a/empty", 'f', "a/empty"},
						{"top/a.txt", 'f', "a.txt"},
						{"top/big.bin", 'f', "big.bin"},
						{"top/even.bin", 'f', "even.bin"},
						{"top/one-more.bin", 'f', "one-more.bin"},
						{"top/", 'd', NULL}};

	(void)state;
	pack(members, COUNT(members));
	assert_audit("x.tar", &(struct audit_options){.strip = 1}, true, ALL_OK);
}

static void audit_takes_hard_links_of_archives_for_files(void **state)
{
	static const struct member members[] = {
	    {"z.txt", 'h', "a.txt"},        {"a/b/c.js", 'f', NULL},
	    {"a/d.js", 'f', NULL},          {"a/empty", 'f', NULL},
	    {"a.txt", 'f', "z.txt"},        {"big.bin", 'f', NULL},
	    {"even.bin", 'h', "./big.bin"}, {"one-more.bin", 'h', "even.bin"},
	    {"h", 'h', "/etc/passwd"},      {"i", 'h', "../x"},
	    {"extra", 'h', "big.bin"}};

	(void)state;
	pack(members, COUNT(members));
	/* One that stands before its target cannot be unpacked; the others have its content. */
	assert_audit("x.tar", &plain, false,
		     "a/b/c.js:ok a/d.js:ok a/empty:ok a.txt:corrupt[0-0] big.bin:ok "
		     "even.bin:corrupt[0-2] extra:extra h:unsafe-path i:unsafe-path "
		     "one-more.bin:corrupt[0-1] z.txt:wrong-type");
}

/* Three files of one content, stored once. */
static void audit_of_hard_links_with_the_right_content(void **state)
{
	static const struct member members[] = {
	    {"a/b/c.js", 'f', NULL},     {"a/d.js", 'f', NULL},     {"a/empty", 'f', NULL},
	    {"a.txt", 'f', NULL},        {"big.bin", 'f', NULL},    {"even.bin", 'f', NULL},
	    {"one-more.bin", 'f', NULL}, {"z.txt", 'h', "a/b/c.js"}};
	struct glob *only[] = {new_glob("z.txt")};

	(void)state;
	entries[7] = entries[0];
	entries[7].path = "z.txt";
	pack(members, COUNT(members));
	assert_audit("x.tar", &plain, true, ALL_OK);
	/* Also where the file that has the content is not asked for. */
	assert_audit("x.tar", &(struct audit_options){.only = only, .only_count = 1}, true,
		     "z.txt:ok");
	glob_free(only[0]);
}

static void audit_of_hostile_archives(void **state)
{
	static const struct member members[] = {
	    {"../z.txt", 'f', "z.txt"}, {"/a.txt", 'f', "a.txt"}, {"a", 'l', "/tmp"},
	    {"a/b/c.js", 'f', NULL},    {"l", 'l', "a/../../x"},  {"m", 'l', "a/../x"},
	    {"a.txt", 'f', NULL},       {"a.txt", 'f', "z.txt"}};

	(void)state;
	pack(members, COUNT(members));
	assert_audit("x.tar", &plain, false,
		     "/a.txt:unsafe-path ../z.txt:unsafe-path a:unsafe-path a/b/c.js:ok "
		     "a/d.js:missing a/empty:missing a.txt:unsafe-path a.txt:ok "
		     "big.bin:missing even.bin:missing l:unsafe-path m:extra "
		     "one-more.bin:missing z.txt:missing");
}

static void audit_of_a_cut_archive_tells_how_far_it_came(void **state)
{
	struct audit a;
	struct err e;
	struct buf b = BUF_INIT;

	(void)state;
	pack(whole, COUNT(whole));
	assert_int_equal(truncate("x.tar", 512 * 7), 0);
	assert_int_equal(run("x.tar", &plain, &a, &e), 0);
	assert_int_equal(a.failure.code, ERR_MALFORMED);
	assert_false(a.verified);
	describe(&a, &b);
	assert_non_null(strstr(b.data, "a/b/c.js:ok"));
	assert_non_null(strstr(b.data, "z.txt:ok"));
	/* What would have come is not known to be missing. */
	assert_int_equal(a.findings.counts[FINDING_MISSING], 0);
	assert_int_equal(a.findings.counts[FINDING_OK] + a.findings.counts[FINDING_UNREADABLE],
			 FILES);
	audit_release(&a);
	buf_release(&b);
}

static void audit_kinds_that_are_wrong(void **state)
{
	const struct audit_options strict = {.strict_modes = true};

	(void)state;
	for (int kind = 0; kind < FINDING_KINDS; kind++) {
		assert_int_equal(audit_is_wrong(&plain, (enum finding_kind)kind),
				 kind != FINDING_OK && kind != FINDING_WRONG_MODE);
		assert_int_equal(audit_is_wrong(&strict, (enum finding_kind)kind),
				 kind != FINDING_OK);
	}
}

int main(void)
{
#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, enter_home, leave_home)
	const struct CMUnitTest tests[] = {
	    IN_HOME(audit_of_a_good_copy_is_verified),
	    IN_HOME(audit_names_the_bad_pieces),
	    IN_HOME(audit_of_a_file_of_another_size),
	    IN_HOME(audit_tells_missing_extra_and_moved_apart),
	    IN_HOME(audit_takes_a_moved_file_once),
	    IN_HOME(audit_takes_a_moved_file_for_one_only),
	    IN_HOME(audit_tells_what_stands_in_a_files_place),
	    IN_HOME(audit_does_not_follow_links_to_folders),
	    IN_HOME(audit_modes_are_a_warning_unless_strict),
	    IN_HOME(audit_refuses_names_that_no_release_has),
	    IN_HOME(audit_fast_looks_at_sizes_only),
	    IN_HOME(audit_reads_the_plain_digest_too),
	    IN_HOME(audit_only_looks_at_what_matches),
	    IN_HOME(audit_of_an_empty_copy_misses_all),
	    IN_HOME(audit_knows_nothing_of_what_it_cannot_read),
	    IN_HOME(audit_writes_nothing),
	    IN_HOME(audit_reads_archives_in_any_order),
	    IN_HOME(audit_of_archives_finds_moved_files),
	    IN_HOME(audit_of_archives_strips_components),
	    IN_HOME(audit_takes_hard_links_of_archives_for_files),
	    IN_HOME(audit_of_hard_links_with_the_right_content),
	    IN_HOME(audit_of_hostile_archives),
	    IN_HOME(audit_of_a_cut_archive_tells_how_far_it_came),
	    cmocka_unit_test(audit_kinds_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, make_release, free_release);
}
