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

#include "swarm/buf.h"
#include "swarm/scan.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define RULES(more)                                       \
	"swarm: rules/1\n" more "rules:\n"                \
	"  - {label: public, match: ['*.png', '*.js']}\n" \
	"  - {label: origin, match: ['*.html']}\n"        \
	"  - {label: private, match: ['/secret/', '*.map', '*.key']}\n"

/* --- helpers ---------------------------------------------------------------------------------- */

/* Every test works in a folder of its own. */
static char home[64];

static int enter_home(void **state)
{
	(void)state;
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-scan-XXXXXX");
	return mkdtemp(home) != NULL && chdir(home) == 0 && mkdir("t", 0755) == 0 ? 0 : -1;
}

static int leave_home(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", home);
	return chdir("/") == 0 ? system(command) : -1;
}

static void write_file(const char *path, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(close(fd), 0);
}

static void make_folder(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static struct rules *rules;
static struct guards *guards;
static bool keep_private;

/* A scan of what is at `path`; the rules are released by finish(). */
static int run(const char *path, const char *text, unsigned strip, struct scan *ret, struct err *e)
{
	*e = (struct err){.code = ERR_NONE};
	rules = rules_parse("rules", text, strlen(text), e);
	if (rules == NULL)
		fail_msg("%s", e->msg);
	const struct scan_options options = {
	    .rules = rules, .guards = guards, .strip = strip, .keep_private = keep_private};
	struct source *s = source_open(path, 2, e);
	if (s == NULL)
		fail_msg("%s", e->msg);
	int status = scan_run(s, &options, ret, e);
	source_close(s);
	return status;
}

static void scan(const char *path, const char *text, unsigned strip, struct scan *ret)
{
	struct err e;

	if (run(path, text, strip, ret, &e) != 0)
		fail_msg("%s", e.msg);
}

static void finish(struct scan *s)
{
	scan_release(s);
	scan_release(s);
	rules_free(rules);
}

/* "path=content:label" of each file and "path!fault" of each problem, with spaces between. */
static void assert_scan(const struct scan *s, const char *files, const char *problems)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < s->count; i++) {
		const struct scan_file *f = &s->files[i];
		buf_addf(&b, "%s%s", i > 0 ? " " : "", f->path);
		if (strcmp(f->path, f->content) != 0)
			buf_addf(&b, "=%s", f->content);
		buf_addf(&b, ":%s", label_name(f->label));
	}
	assert_string_equal(b.data, files);
	buf_clear(&b);
	for (size_t i = 0; i < s->problem_count; i++)
		buf_addf(&b, "%s%s!%s", i > 0 ? " " : "", s->problems[i].path,
			 scan_fault_name(s->problems[i].fault));
	assert_string_equal(b.data, problems);
	buf_release(&b);
}

/* --- labels ----------------------------------------------------------------------------------- */

static void scan_labels_every_file(void **state)
{
	struct scan s;

	(void)state;
	make_folder("t/a");
	make_folder("t/secret");
	write_file("t/a.png", 100);
	write_file("t/a/b.js", 20);
	write_file("t/a/b.js.map", 3);
	write_file("t/index.html", 7);
	write_file("t/secret/a.png", 1000);
	scan("t", RULES(""), 0, &s);
	assert_scan(&s, "a/b.js:public a.png:public index.html:origin", "");
	assert_int_equal(s.totals[LABEL_PUBLIC].files, 2);
	assert_int_equal(s.totals[LABEL_PUBLIC].bytes, 120);
	assert_int_equal(s.totals[LABEL_ORIGIN].files, 1);
	assert_int_equal(s.totals[LABEL_ORIGIN].bytes, 7);
	assert_int_equal(s.totals[LABEL_PRIVATE].files, 2);
	assert_int_equal(s.totals[LABEL_PRIVATE].bytes, 1003);
	assert_int_equal(s.usage.rules[0].decided, 2);
	assert_int_equal(s.usage.rules[1].decided, 1);
	assert_int_equal(s.usage.rules[2].decided, 2);
	assert_int_equal(s.files[0].rule->index, 0);
	finish(&s);
}

static void scan_stops_at_what_no_rule_names(void **state)
{
	struct scan s;

	(void)state;
	write_file("t/a.png", 0);
	write_file("t/notes.txt", 0);
	write_file("t/.env", 0);
	scan("t", RULES(""), 0, &s);
	assert_scan(&s, "a.png:public", ".env!unlabelled notes.txt!unlabelled");
	assert_string_equal(s.problems[0].why, "no rule labels it");
	finish(&s);
	scan("t", RULES("default: private\n"), 0, &s);
	assert_scan(&s, "a.png:public", "");
	assert_int_equal(s.totals[LABEL_PRIVATE].files, 2);
	finish(&s);
}

/* Names that cannot be published are no matter where they are not. */
static void scan_judges_only_names_that_are_published(void **state)
{
	struct scan s;

	(void)state;
	make_folder("t/secret");
	write_file("t/a:b.png", 0);
	write_file("t/aux.png", 0);
	write_file("t/secret/a:b.png", 0);
	write_file("t/good.png", 0);
	scan("t", RULES(""), 0, &s);
	assert_int_equal(s.problem_count, 2);
	assert_string_equal(s.problems[0].path, "a:b.png");
	assert_int_equal(s.problems[0].fault, SCAN_UNPORTABLE);
	assert_string_equal(s.problems[0].why, "it has one of \\ : * ? \" < > |");
	assert_string_equal(s.problems[1].path, "aux.png");
	finish(&s);
}

static void scan_of_nothing_has_nothing(void **state)
{
	struct scan s;

	(void)state;
	make_folder("t/empty");
	scan("t", RULES(""), 0, &s);
	assert_scan(&s, "", "");
	assert_int_equal(scan_piece_length(&s), 65536);
	finish(&s);
}

static void scan_keeps_what_must_not_change(void **state)
{
	struct stat st;
	struct scan s;

	(void)state;
	write_file("t/a.png", 123);
	assert_int_equal(chmod("t/a.png", 0755), 0);
	assert_int_equal(stat("t/a.png", &st), 0);
	scan("t", RULES(""), 0, &s);
	assert_int_equal(s.files[0].size, 123);
	assert_true(s.files[0].exec);
	assert_int_equal(s.files[0].stamp.inode, st.st_ino);
	assert_int_equal(s.files[0].stamp.mtime_ns, st.st_mtim.tv_nsec);
	finish(&s);
}

/* --- links ------------------------------------------------------------------------------------ */

static void make_links(void)
{
	make_folder("t/a");
	make_folder("t/secret");
	write_file("t/a/x.png", 5);
	write_file("t/page.html", 6);
	write_file("t/secret/s.png", 7);
	assert_int_equal(symlink("a/x.png", "t/l.png"), 0);
	assert_int_equal(symlink("a", "t/b"), 0);
}

static void scan_stops_at_symbolic_links(void **state)
{
	struct scan s;

	(void)state;
	make_links();
	assert_int_equal(symlink("x", "t/secret/l"), 0);
	scan("t", RULES(""), 0, &s);
	/* A private link stays at home whatever it leads to. */
	assert_scan(&s, "a/x.png:public page.html:origin", "b!link l.png!link");
	finish(&s);
	scan("t", RULES("symlinks: error\n"), 0, &s);
	assert_int_equal(s.problem_count, 2);
	finish(&s);
	scan("t", RULES("symlinks: skip\n"), 0, &s);
	assert_scan(&s, "a/x.png:public page.html:origin", "");
	assert_int_equal(s.skipped_links, 3);
	finish(&s);
}

static void scan_follows_links_within_the_tree(void **state)
{
	struct scan s;

	(void)state;
	make_links();
	scan("t", RULES("symlinks: follow\n"), 0, &s);
	assert_scan(
	    &s, "a/x.png:public b/x.png=a/x.png:public l.png=a/x.png:public page.html:origin", "");
	finish(&s);
}

/* The stricter of the labels of a link, of what it leads to, and of all that is between. */
static void scan_links_have_the_stricter_label(void **state)
{
	struct scan s;

	(void)state;
	make_links();
	assert_int_equal(symlink("page.html", "t/page.png"), 0);
	assert_int_equal(symlink("a/x.png", "t/x.html"), 0);
	assert_int_equal(symlink("secret/s.png", "t/s.png"), 0);
	assert_int_equal(symlink("secret", "t/open"), 0);
	assert_int_equal(symlink("../a/x.png", "t/secret/hop.png"), 0);
	assert_int_equal(symlink("secret/hop.png", "t/via.png"), 0);
	scan("t", RULES("symlinks: follow\n"), 0, &s);
	assert_scan(&s,
		    "a/x.png:public b/x.png=a/x.png:public l.png=a/x.png:public page.html:origin "
		    "page.png=page.html:origin x.html=a/x.png:origin",
		    "");
	finish(&s);
}

static void scan_stops_at_links_that_cannot_be_followed(void **state)
{
	struct scan s;

	(void)state;
	make_folder("t/a");
	write_file("t/a/x.png", 0);
	assert_int_equal(symlink("/etc/passwd", "t/abs.png"), 0);
	assert_int_equal(symlink("../../etc/passwd", "t/up.png"), 0);
	assert_int_equal(symlink("none", "t/none.png"), 0);
	assert_int_equal(symlink("self.png", "t/self.png"), 0);
	assert_int_equal(symlink("..", "t/a/loop"), 0);
	assert_int_equal(mkfifo("t/fifo.key", 0600), 0);
	assert_int_equal(symlink("fifo.key", "t/fifo.png"), 0);
	scan("t", RULES("symlinks: follow\n"), 0, &s);
	assert_scan(
	    &s, "a/x.png:public",
	    "a/loop!link abs.png!link fifo.png!link none.png!link self.png!link up.png!link");
	assert_string_equal(s.problems[1].why, "a link that leads out of the tree");
	assert_string_equal(s.problems[3].why, "a link that leads nowhere");
	assert_string_equal(s.problems[4].why, "a link that leads in a circle");
	finish(&s);
}

/* Two folders that link to each other: as many paths as there are ways through them. */
static void scan_of_links_that_unfold_ends(void **state)
{
	struct scan s;
	struct err e;
	char path[32], target[32];

	(void)state;
	for (int i = 0; i < 40; i++) {
		(void)snprintf(path, sizeof path, "t/d%02d", i);
		make_folder(path);
		for (int k = 0; k < 2; k++) {
			(void)snprintf(path, sizeof path, "t/d%02d/%d", i, k);
			(void)snprintf(target, sizeof target, "../d%02d", i + 1);
			if (i < 39)
				assert_int_equal(symlink(target, path), 0);
		}
	}
	write_file("t/d39/x.png", 0);
	int status = run("t", RULES("symlinks: follow\n"), 0, &s, &e);
	if (status == 0) {
		assert_true(s.problem_count > 0);
	} else {
		assert_int_equal(e.code, ERR_REFUSED);
		assert_string_equal(e.msg,
				    "the symbolic links in 't' unfold to more than 1000000 paths");
	}
	finish(&s);
}

static void scan_stops_at_what_is_no_file(void **state)
{
	struct scan s;

	(void)state;
	make_folder("t/secret");
	assert_int_equal(mkfifo("t/fifo.png", 0600), 0);
	assert_int_equal(mkfifo("t/secret/fifo", 0600), 0);
	scan("t", RULES(""), 0, &s);
	assert_scan(&s, "", "fifo.png!special");
	finish(&s);
}

/* --- what is published of names --------------------------------------------------------------- */

static void scan_stops_at_names_that_collide(void **state)
{
	struct scan s;

	(void)state;
	make_folder("t/b");
	make_folder("t/B");
	write_file("t/A.png", 0);
	write_file("t/a.png", 0);
	write_file("t/B/x.png", 0);
	write_file("t/b/y.png", 0);
	write_file("t/K.key", 0);
	write_file("t/k.key", 0);
	scan("t", RULES(""), 0, &s);
	assert_scan(&s, "A.png:public B/x.png:public a.png:public b/y.png:public",
		    "a.png!collision b!collision");
	assert_string_equal(s.problems[0].other, "A.png");
	assert_string_equal(s.problems[0].why,
			    "it is 'A.png' where neither case nor the spelling of accents matters");
	assert_string_equal(s.problems[1].other, "B");
	finish(&s);
}

static void scan_asks_guards_about_names(void **state)
{
	struct scan s;
	struct err e = {.code = ERR_NONE};

	(void)state;
	make_folder("t/.git");
	make_folder("t/secret");
	make_folder("t/secret/.git");
	write_file("t/.git/a.js", 0);
	write_file("t/secret/.git/a.js", 0);
	write_file("t/a.js", 0);
	guards = guards_new(&(struct guardlist){.count = 0}, &e);
	assert_non_null(guards);
	scan("t", RULES(""), 0, &s);
	assert_scan(&s, ".git/a.js:public a.js:public", ".git/a.js!guard");
	assert_string_equal(s.problems[0].guard->id, "vcs");
	assert_string_equal(s.problems[0].why, s.problems[0].guard->description);
	assert_int_equal(s.problems[0].line, 0);
	assert_int_equal(s.problems[0].count, 0);
	finish(&s);
	guards_free(guards);
	guards = NULL;
}

static void scan_keeps_private_files_if_told_to(void **state)
{
	struct scan s;

	(void)state;
	make_folder("t/secret");
	write_file("t/a.png", 1);
	write_file("t/secret/z", 2);
	write_file("t/b.key", 3);
	assert_int_equal(mkfifo("t/secret/fifo", 0600), 0);
	scan("t", RULES(""), 0, &s);
	assert_int_equal(s.kept_count, 0);
	assert_null(s.kept);
	finish(&s);
	keep_private = true;
	scan("t", RULES(""), 0, &s);
	keep_private = false;
	assert_scan(&s, "a.png:public", "");
	assert_int_equal(s.kept_count, 3);
	assert_string_equal(s.kept[0].path, "b.key");
	assert_string_equal(s.kept[1].path, "secret/fifo");
	assert_string_equal(s.kept[2].path, "secret/z");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s.kept[i].label, LABEL_PRIVATE);
		assert_int_equal(s.kept[i].rule->index, 2);
	}
	assert_int_equal(s.kept[2].size, 2);
	finish(&s);
}

static void scan_sorts_problems_and_drops_doubles(void **state)
{
	static const struct guards_guard one[2] = {{.id = "a"}, {.id = "b"}};
	static const struct scan_problem problems[] = {
	    {.fault = SCAN_GUARD, .path = "b", .why = "", .guard = &one[1]},
	    {.fault = SCAN_GUARD, .path = "b", .why = "", .guard = &one[0]},
	    {.fault = SCAN_NEW, .path = "a.x", .why = ""},
	    {.fault = SCAN_GUARD, .path = "b", .why = "", .guard = &one[1]},
	    {.fault = SCAN_UNPORTABLE, .path = "b", .why = ""},
	    {.fault = SCAN_COLLISION, .path = "a/b", .why = ""},
	    {.fault = SCAN_COLLISION, .path = "a/b", .why = ""},
	};
	struct scan s = {.arena = ARENA_INIT};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(problems); i++)
		assert_int_equal(scan_add_problem(&s, &problems[i], &e), 0);
	scan_sort_problems(&s);
	assert_scan(&s, "", "a/b!collision a.x!new b!unportable b!guard b!guard");
	assert_ptr_equal(s.problems[3].guard, &one[0]);
	assert_ptr_equal(s.problems[4].guard, &one[1]);
	scan_release(&s);
}

/* --- archives --------------------------------------------------------------------------------- */

struct member {
	const char *path;
	char type;           /* f, d, l, h */
	const char *content; /* or target */
};

static void pack(const struct member *members, size_t count)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, "x.tar"), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		const struct member *m = &members[i];
		archive_entry_clear(entry);
		archive_entry_set_pathname(entry, m->path);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_filetype(entry, m->type == 'd'   ? AE_IFDIR
						  : m->type == 'l' ? AE_IFLNK
								   : AE_IFREG);
		archive_entry_set_size(entry, 0);
		if (m->type == 'l')
			archive_entry_set_symlink(entry, m->content);
		else if (m->type == 'h')
			archive_entry_set_hardlink(entry, m->content);
		else if (m->type == 'f')
			archive_entry_set_size(entry, (la_int64_t)strlen(m->content));
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		if (m->type == 'f')
			assert_int_equal(archive_write_data(a, m->content, strlen(m->content)),
					 strlen(m->content));
	}
	archive_entry_free(entry);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

static void scan_sorts_what_archives_hold(void **state)
{
	static const struct member members[] = {
	    {"b.png", 'f', "1"}, {"a.js", 'f', "22"}, {"./a/b.png", 'f', ""}, {"a/", 'd', NULL}};
	struct scan s;

	(void)state;
	pack(members, COUNT(members));
	scan("x.tar", RULES(""), 0, &s);
	assert_scan(&s, "a/b.png:public a.js:public b.png:public", "");
	assert_int_equal(s.files[0].content_number, 2);
	assert_int_equal(s.files[1].content_number, 1);
	assert_int_equal(s.files[1].size, 2);
	assert_int_equal(s.files[2].content_number, 0);
	finish(&s);
}

static void scan_follows_hard_links(void **state)
{
	static const struct member members[] = {{"secret/s.png", 'f', "12345"},
						{"a.png", 'f', "1"},
						{"b.png", 'h', "a.png"},
						{"page.html", 'h', "a.png"},
						{"s.png", 'h', "secret/s.png"}};
	struct scan s;

	(void)state;
	pack(members, COUNT(members));
	scan("x.tar", RULES(""), 0, &s);
	assert_scan(&s, "a.png:public b.png=a.png:public page.html=a.png:origin", "");
	/* A name for a secret is as secret. */
	assert_int_equal(s.totals[LABEL_PRIVATE].files, 2);
	finish(&s);
}

static void scan_stops_at_hostile_archives(void **state)
{
	static const struct member members[] = {
	    {"../up.png", 'f', "1"},       {"/abs.png", 'f', "1"}, {"a.png", 'f', "1"},
	    {"a.png", 'f', "2"},           {"b.png", 'f', "1"},    {"b.png/c.png", 'f', "1"},
	    {"h.png", 'h', "/etc/passwd"}, {"i.png", 'h', "none"}};
	struct scan s;

	(void)state;
	pack(members, COUNT(members));
	scan("x.tar", RULES(""), 0, &s);
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < s.problem_count; i++)
		buf_addf(&b, "%s!%s ", s.problems[i].path, scan_fault_name(s.problems[i].fault));
	assert_non_null(strstr(b.data, "../up.png!outside "));
	assert_non_null(strstr(b.data, "/abs.png!outside "));
	assert_non_null(strstr(b.data, "a.png!duplicate "));
	assert_non_null(strstr(b.data, "b.png/c.png!duplicate "));
	assert_non_null(strstr(b.data, "h.png!link "));
	assert_non_null(strstr(b.data, "i.png!link "));
	buf_release(&b);
	finish(&s);
}

/* A file and a folder of one name are a problem already, and not another one. */
static void scan_of_an_archive_finds_each_problem_once(void **state)
{
	static const struct member members[] = {
	    {"a.js", 'f', "1"}, {"a.js/b.js", 'f', "2"}, {"c.js", 'f', "3"}, {"c.js", 'f', "4"}};
	struct scan s;

	(void)state;
	pack(members, COUNT(members));
	scan("x.tar", RULES(""), 0, &s);
	assert_scan(&s, "a.js:public a.js/b.js:public c.js:public c.js:public",
		    "a.js/b.js!duplicate c.js!duplicate");
	finish(&s);
}

static void scan_drops_leading_components(void **state)
{
	static const struct member members[] = {{"top/a.png", 'f', "1"},
						{"top/b/c.js", 'f', "1"},
						{"top/", 'd', NULL},
						{"top/l.png", 'h', "top/a.png"},
						{"README.png", 'f', "1"}};
	struct scan s;

	(void)state;
	pack(members, COUNT(members));
	scan("x.tar", RULES(""), 1, &s);
	assert_scan(&s, "a.png=top/a.png:public b/c.js=top/b/c.js:public l.png=top/a.png:public",
		    "README.png!outside");
	assert_string_equal(s.problems[0].why, "no name is left of it after --strip-components");
	finish(&s);
}

static void scan_of_a_cut_archive_is_a_failure(void **state)
{
	static const struct member members[] = {{"a.png", 'f', "1"}, {"b.png", 'f', "2"}};
	struct scan s;
	struct err e;

	(void)state;
	pack(members, COUNT(members));
	assert_int_equal(truncate("x.tar", 1024), 0);
	assert_int_equal(run("x.tar", RULES(""), 0, &s, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	/* Half a tree does not tell which rules are dead. */
	assert_int_equal(s.usage.count, 0);
	finish(&s);
}

/* --- piece length ----------------------------------------------------------------------------- */

static uint64_t piece_length_of(size_t count, uint64_t size)
{
	struct scan s = {.count = count};

	s.files = calloc(count, sizeof *s.files);
	assert_non_null(s.files);
	for (size_t i = 0; i < count; i++)
		s.files[i].size = size;
	uint64_t length = scan_piece_length(&s);
	free(s.files);
	return length;
}

static void scan_chooses_the_piece_length(void **state)
{
	(void)state;
	assert_int_equal(piece_length_of(1, 0), 65536);
	assert_int_equal(piece_length_of(1, 65536), 65536);
	/* 32,768 hashes and not one more. */
	assert_int_equal(piece_length_of(1, UINT64_C(65536) * 32768), 65536);
	assert_int_equal(piece_length_of(1, UINT64_C(65536) * 32768 + 1), 131072);
	assert_int_equal(piece_length_of(16384, 65537), 65536);
	assert_int_equal(piece_length_of(16385, 65537), 131072);
	/* Files of at most one piece have none. */
	assert_int_equal(piece_length_of(100000, 65536), 65536);
	assert_int_equal(piece_length_of(100000, 65537), 131072);
	assert_int_equal(piece_length_of(1, UINT64_C(1) << 42), UINT64_C(1) << 27);
	assert_int_equal(piece_length_of(1, (UINT64_C(1) << 53) - 1), UINT64_C(1) << 27);
	assert_int_equal(piece_length_of(1000, (UINT64_C(1) << 53) - 1), UINT64_C(1) << 27);
}

int main(void)
{
#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, enter_home, leave_home)
	const struct CMUnitTest tests[] = {
	    IN_HOME(scan_labels_every_file),
	    IN_HOME(scan_stops_at_what_no_rule_names),
	    IN_HOME(scan_judges_only_names_that_are_published),
	    IN_HOME(scan_of_nothing_has_nothing),
	    IN_HOME(scan_keeps_what_must_not_change),
	    IN_HOME(scan_stops_at_symbolic_links),
	    IN_HOME(scan_follows_links_within_the_tree),
	    IN_HOME(scan_links_have_the_stricter_label),
	    IN_HOME(scan_stops_at_links_that_cannot_be_followed),
	    IN_HOME(scan_of_links_that_unfold_ends),
	    IN_HOME(scan_stops_at_what_is_no_file),
	    IN_HOME(scan_stops_at_names_that_collide),
	    IN_HOME(scan_asks_guards_about_names),
	    IN_HOME(scan_keeps_private_files_if_told_to),
	    cmocka_unit_test(scan_sorts_problems_and_drops_doubles),
	    IN_HOME(scan_sorts_what_archives_hold),
	    IN_HOME(scan_follows_hard_links),
	    IN_HOME(scan_stops_at_hostile_archives),
	    IN_HOME(scan_of_an_archive_finds_each_problem_once),
	    IN_HOME(scan_drops_leading_components),
	    IN_HOME(scan_of_a_cut_archive_is_a_failure),
	    cmocka_unit_test(scan_chooses_the_piece_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
