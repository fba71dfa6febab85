#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <glob.h>

#include "swarm/buf.h"
#include "swarm/rules.h"

#define HEAD "swarm: rules/1\n"
#define RULE "rules:\n  - {label: public, match: \"*.png\"}\n"

static struct rules *parse(const char *text)
{
	struct err e = {0};
	struct rules *r = rules_parse("t.yaml", text, strlen(text), &e);

	if (r == NULL)
		fail_msg("%s", e.msg);
	assert_int_equal(e.code, ERR_NONE);
	return r;
}

static void rejects_bytes(const char *text, size_t len, const char *msg)
{
	struct err e = {0};

	assert_null(rules_parse("t.yaml", text, len, &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, msg);
}

static void rejects(const char *text, const char *msg)
{
	rejects_bytes(text, strlen(text), msg);
}

/* --- a folder to write files into ------------------------------------------------------------- */

struct folder {
	char path[64];
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	assert_non_null(f);
	strcpy(f->path, "/tmp/test-rules-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf '%s'", f->path);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static const char *path_in(const struct folder *f, const char *name, char to[static 128])
{
	assert_true(snprintf(to, 128, "%s/%s", f->path, name) < 128);
	return to;
}

static void write_file(const struct folder *f, const char *name, const char *text)
{
	char path[128];
	FILE *out = fopen(path_in(f, name, path), "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static struct rules *load(const struct folder *f, const char *name)
{
	struct err e = {0};
	char path[128];
	const char *files[] = {path_in(f, name, path)};
	struct rules *r = rules_load(files, 1, &e);

	if (r == NULL)
		fail_msg("%s", e.msg);
	return r;
}

/* `msg` stands behind the folder's path and a slash. */
static void load_rejects(const struct folder *f, const char *name, const char *msg)
{
	struct err e = {0};
	char path[128], expected[512];
	const char *files[] = {path_in(f, name, path)};

	assert_null(rules_load(files, 1, &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_true((size_t)snprintf(expected, sizeof expected, "%s/%s", f->path, msg) <
		    sizeof expected);
	assert_string_equal(e.msg, expected);
}

/* --- what is accepted ------------------------------------------------------------------------- */

static const char *label_of(const struct rules *r, const char *path)
{
	struct rules_verdict v;

	rules_decide(r, path, false, &v);
	return v.labelled ? label_name(v.label) : "none";
}

static void rules_label_by_the_last_rule_that_matches(void **state)
{
	struct rules *r = parse(HEAD "rules:\n"
				     "  - label: public\n"
				     "    match: [\"*.png\", /static/**]\n"
				     "  - label: origin\n"
				     "    match: /index.html\n"
				     "  - label: private\n"
				     "    match: [/uploads/, \"*.map\", \"!keep.map\"]\n"
				     "  - label: origin\n"
				     "    match: /uploads/open.png\n");

	(void)state;
	assert_int_equal(rules_count(r), 4);
	assert_string_equal(label_of(r, "a/b.png"), "public");
	assert_string_equal(label_of(r, "static/x/y"), "public");
	assert_string_equal(label_of(r, "index.html"), "origin");
	assert_string_equal(label_of(r, "a/index.html"), "none");
	assert_string_equal(label_of(r, "uploads/a.png"), "private");
	assert_string_equal(label_of(r, "uploads/open.png"), "origin");
	assert_string_equal(label_of(r, "static/x.map"), "private");
	assert_string_equal(label_of(r, "static/keep.map"), "public");
	assert_string_equal(label_of(r, "keep.map"), "none");
	rules_free(r);
}

/* cafe with U+0301, and caf with U+00E9. */
#define APART    "cafe\xCC\x81"
#define TOGETHER "caf\xC3\xA9"

static void rules_do_not_mind_how_accents_are_spelt(void **state)
{
	static const char *const patterns[] = {APART, TOGETHER, ("*" APART "*"), ("/**/" TOGETHER)};

	(void)state;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		char text[256];
		(void)snprintf(text, sizeof text,
			       HEAD "rules:\n"
				    "  - {label: public, match: \"*\"}\n"
				    "  - {label: private, match: \"%s\"}\n",
			       patterns[i]);
		struct rules *r = parse(text);
		assert_string_equal(label_of(r, APART), "private");
		assert_string_equal(label_of(r, TOGETHER), "private");
		assert_string_equal(label_of(r, "x/" APART "/y"), "private");
		assert_string_equal(label_of(r, "cafe"), "public");
		assert_string_equal(label_of(r, "caf\xC3\xA8"), "public");
		assert_string_equal(label_of(r, "caf\xE9"), "public");
		rules_free(r);
	}
}

static void rules_tell_which_pattern_decided(void **state)
{
	struct rules *r = parse(HEAD "rules:\n"
				     "  - label: public\n"
				     "    match:\n"
				     "      - \"*.png\"\n"
				     "      - '*.jpg'\n"
				     "    cache: \"public, max-age=31536000, immutable\"\n"
				     "    type: image/any\n"
				     "  - {label: origin, match: [é.gif, b.gif]}\n");
	struct rules_verdict v;

	(void)state;
	rules_decide(r, "x/a.jpg", false, &v);
	assert_true(v.labelled);
	assert_int_equal(v.label, LABEL_PUBLIC);
	assert_ptr_equal(v.rule, rules_get(r, 0));
	assert_int_equal(v.rule->index, 0);
	assert_string_equal(v.rule->cache, "public, max-age=31536000, immutable");
	assert_string_equal(v.rule->type, "image/any");
	assert_string_equal(v.rule->place.file, "t.yaml");
	assert_int_equal(v.rule->place.line, 3);
	assert_int_equal(v.rule->place.column, 5);
	assert_string_equal(v.pattern, "*.jpg");
	assert_string_equal(v.pattern_place.file, "t.yaml");
	assert_int_equal(v.pattern_place.line, 6);
	assert_int_equal(v.pattern_place.column, 9);

	rules_decide(r, "b.gif", false, &v);
	assert_int_equal(v.rule->index, 1);
	assert_null(v.rule->cache);
	assert_null(v.rule->type);
	assert_int_equal(v.pattern_place.line, 9);
	assert_int_equal(v.pattern_place.column, 36);
	rules_free(r);
}

static void rules_name_the_place_of_a_rule(void **state)
{
	static const char text[] = HEAD RULE;
	struct err e = {0};
	struct rules *r = rules_parse("a\033b\xFF.yaml", text, strlen(text), &e);
	struct buf place = BUF_INIT;

	(void)state;
	assert_non_null(r);
	rules_format_place(&place, rules_get(r, 0));
	assert_string_equal(place.data, "a\033b\xFF.yaml:3:5");
	buf_clear(&place);
	buf_adds(&place, "by ");
	rules_describe_place(&place, rules_get(r, 0));
	assert_string_equal(place.data, "by a\\x1bb\\xff.yaml:3:5");
	buf_clear(&place);
	rules_format_place(&place, NULL);
	buf_addc(&place, ' ');
	rules_describe_place(&place, NULL);
	assert_string_equal(place.data, "default default");
	buf_release(&place);
	rules_free(r);
}

static void rules_match_asks_one_rule_alone(void **state)
{
	struct rules *r = parse(HEAD "rules:\n"
				     "  - {label: public, match: \"*.png\"}\n"
				     "  - {label: private, match: /raw/}\n");
	struct rules_verdict v;

	(void)state;
	assert_true(rules_match(r, 0, "raw/a.png", false, &v));
	assert_int_equal(v.label, LABEL_PUBLIC);
	assert_string_equal(v.pattern, "*.png");
	assert_true(rules_match(r, 1, "raw/a.png", false, &v));
	assert_int_equal(v.label, LABEL_PRIVATE);
	assert_false(rules_match(r, 1, "a.png", false, &v));
	assert_false(v.labelled);
	assert_null(v.rule);
	assert_true(rules_match(r, 1, "raw", true, &v));
	assert_false(rules_match(r, 1, "raw", false, &v));
	rules_free(r);
}

static void rules_read_a_negated_directory_so_that_less_is_published(void **state)
{
	static const char text[] =
	    "swarm: rules/1\n"
	    "rules:\n"
	    "  - {label: origin, match: \"*\"}\n"
	    "  - {label: public, match: [\"/s/**\", \"!/s/tmp/\"]}\n"
	    "  - {label: private, match: [\"/p/**\", \"!*/\", \"!*.png\"]}\n";
	struct err e = {0};
	struct rules_verdict v;
	struct rules *r = rules_parse("r", text, sizeof text - 1, &e);

	(void)state;
	assert_non_null(r);
	rules_decide(r, "s/x", false, &v);
	assert_int_equal(v.label, LABEL_PUBLIC);
	rules_decide(r, "s/tmp/x", false, &v);
	assert_int_equal(v.label, LABEL_ORIGIN);
	rules_decide(r, "p/q/secret", false, &v);
	assert_int_equal(v.label, LABEL_PRIVATE);
	rules_decide(r, "p/q/x.png", false, &v);
	assert_int_equal(v.label, LABEL_ORIGIN);
	rules_free(r);
}

static void rules_default_labels_what_no_rule_names(void **state)
{
	struct rules *open = parse(HEAD RULE);
	struct rules *closed = parse(HEAD "default: private\n" RULE);
	struct rules_verdict v;

	(void)state;
	rules_decide(open, "a.txt", false, &v);
	assert_false(v.labelled);
	assert_null(v.rule);
	assert_null(v.pattern);

	rules_decide(closed, "a.txt", false, &v);
	assert_true(v.labelled);
	assert_int_equal(v.label, LABEL_PRIVATE);
	assert_null(v.rule);
	assert_null(v.pattern);
	assert_string_equal(label_of(closed, "a.png"), "public");
	rules_free(open);
	rules_free(closed);
}

static void rules_symlinks_are_an_error_unless_said(void **state)
{
	static const struct {
		const char *text;
		enum rules_symlinks expected;
	} cases[] = {
	    {HEAD RULE, RULES_SYMLINKS_ERROR},
	    {HEAD "symlinks: error\n" RULE, RULES_SYMLINKS_ERROR},
	    {HEAD "symlinks: skip\n" RULE, RULES_SYMLINKS_SKIP},
	    {HEAD "symlinks: follow\n" RULE, RULES_SYMLINKS_FOLLOW},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rules *r = parse(cases[i].text);
		assert_int_equal(rules_symlinks(r), cases[i].expected);
		rules_free(r);
	}
}

static void rules_take_keys_in_any_order(void **state)
{
	struct rules *r = parse("rules:\n  - match: a\n    label: public\n"
				"default: private\n"
				"swarm: rules/1\n");

	(void)state;
	assert_string_equal(label_of(r, "a"), "public");
	assert_string_equal(label_of(r, "unnamed"), "private");
	rules_free(r);
}

static void rules_take_plain_scalars_as_strings(void **state)
{
	struct rules *r =
	    parse(HEAD "rules:\n"
		       "  - {label: public, match: [404, 0x10, true, 1.50, \"null\", '~']}\n");
	static const char *const yes[] = {"404", "0x10", "true", "1.50", "null", "~"};
	static const char *const no[] = {"16", "1", "1.5", "yes"};

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		assert_string_equal(label_of(r, yes[i]), "public");
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_string_equal(label_of(r, no[i]), "none");
	rules_free(r);
}

static void rules_take_a_byte_order_mark(void **state)
{
	struct rules *r = parse("\xEF\xBB\xBF" HEAD RULE);

	(void)state;
	assert_string_equal(label_of(r, "a.png"), "public");
	rules_free(r);
	rejects("\xEF\xBB\xBF"
		"swarm: rules/2\n",
		"t.yaml:1:8: swarm must be rules/1, not 'rules/2'");
}

static void rules_take_headers_of_255_bytes(void **state)
{
	char text[512];

	(void)state;
	for (int n = 255; n <= 256; n++) {
		(void)snprintf(text, sizeof text,
			       HEAD RULE "  - {label: origin, match: a, cache: %0*d}\n", n, 0);
		if (n == 255)
			rules_free(parse(text));
		else
			rejects(text, "t.yaml:4:38: cache is longer than 255 bytes");
	}
}

static void rules_free_takes_null(void **state)
{
	(void)state;
	rules_free(NULL);
}

/* --- what is refused -------------------------------------------------------------------------- */

/* What a file of testdata/bad/rules must be refused with: its first line says it, where it can. */
static const char *expectation(const char *path, char line[static 1024])
{
	static const struct {
		const char *path, *msg;
	} others[] = {
	    {"testdata/bad/rules/empty.yaml",
	     "testdata/bad/rules/empty.yaml:1:1: the file is empty"},
	    {"testdata/bad/rules/utf16.yaml",
	     "testdata/bad/rules/utf16.yaml:1:1: invalid leading UTF-8 octet"},
	};
	static const char mark[] = "# expect: ";

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(others[i].path, path) == 0)
			return others[i].msg;
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(fgets(line, 1024, in));
	assert_int_equal(fclose(in), 0);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, mark, sizeof mark - 1) != 0)
		fail_msg("%s does not say what to expect", path);
	return line + sizeof mark - 1;
}

static void rules_reject_every_bad_file(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("testdata/bad/rules/*.yaml", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 100);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct err e = {0};
		const char *file = found.gl_pathv[i];
		char line[1024];
		const char *expected = expectation(file, line);
		bool missing = strstr(expected, "cannot open") != NULL;
		if (rules_load(&file, 1, &e) != NULL)
			fail_msg("%s is accepted", file);
		assert_string_equal(e.msg, expected);
		assert_int_equal(e.code, missing ? ERR_SYSTEM : ERR_CONFIG);
		assert_int_equal(e.sys != 0, missing);
	}
	globfree(&found);
}

static void rules_reject_unknown_key_and_suggest_one(void **state)
{
	(void)state;
	rejects(HEAD "rules:\n  - labl: public\n    match: a\n",
		"t.yaml:3:5: unknown key 'labl' (did you mean 'label'?)");
	rejects(HEAD RULE "colour: blue\n", "t.yaml:4:1: unknown key 'colour'");
	rejects(HEAD RULE "guard: []\n",
		"t.yaml:4:1: unknown key 'guard' (did you mean 'guards'?)");
}

static void rules_reject_duplicate_key(void **state)
{
	(void)state;
	rejects(HEAD RULE HEAD, "t.yaml:4:1: duplicate key 'swarm'");
	rejects(HEAD "rules:\n  - {label: public, match: a, 'match': b}\n",
		"t.yaml:3:31: duplicate key 'match'");
}

static void rules_reject_nul_in_a_string(void **state)
{
	static const char raw[] = HEAD "default: err\0or\n" RULE;

	(void)state;
	rejects_bytes(raw, sizeof raw - 1, "t.yaml:2:13: control characters are not allowed");
	rejects(HEAD "rules:\n  - {label: \"public\\0\", match: a}\n",
		"t.yaml:3:13: a string has a NUL character");
	rejects(HEAD "\"rules\\0\": []\n", "t.yaml:2:1: a string has a NUL character");
}

static void rules_reject_a_version_before_its_unknown_keys(void **state)
{
	(void)state;
	rejects("future: 1\nswarm: rules/2\n", "t.yaml:2:8: swarm must be rules/1, not 'rules/2'");
	rejects("future: 1\n", "t.yaml:1:1: the file must say 'swarm: rules/1'");
}

static void rules_reject_a_file_over_one_mebibyte(void **state)
{
	struct buf text = BUF_INIT;
	char path[128], expected[256];

	buf_adds(&text, HEAD RULE "#");
	while (text.len < (1 << 20))
		buf_addc(&text, 'x');
	assert_false(text.failed);
	write_file(*state, "full.yaml", text.data);
	rules_free(load(*state, "full.yaml"));
	rules_free(parse(text.data));

	buf_addc(&text, 'x');
	write_file(*state, "over.yaml", text.data);
	struct err e = {0};
	const char *files[] = {path_in(*state, "over.yaml", path)};
	assert_null(rules_load(files, 1, &e));
	assert_int_equal(e.code, ERR_CONFIG);
	(void)snprintf(expected, sizeof expected, "'%s' is larger than 1048576 bytes", path);
	assert_string_equal(e.msg, expected);
	rejects(text.data, "'t.yaml' is larger than 1048576 bytes");

	write_file(*state, "main.yaml", HEAD "include: [over.yaml]\n");
	(void)snprintf(expected, sizeof expected,
		       "main.yaml:2:11: '%s' is larger than 1048576 bytes", path);
	load_rejects(*state, "main.yaml", expected);
	buf_release(&text);
}

static void add_rules(struct buf *text, size_t n)
{
	buf_adds(text, HEAD "rules:\n");
	for (size_t i = 0; i < n; i++)
		buf_adds(text, "- {label: public, match: a}\n");
}

static void rules_reject_more_than_100000_rules(void **state)
{
	struct buf text = BUF_INIT;

	add_rules(&text, 33333);
	write_file(*state, "many.yaml", text.data);
	write_file(*state, "full.yaml", HEAD "include: [many.yaml, many.yaml, many.yaml]\n" RULE);
	struct rules *r = load(*state, "full.yaml");
	assert_int_equal(rules_count(r), 100000);
	assert_string_equal(label_of(r, "x.png"), "public");
	rules_free(r);

	write_file(*state, "over.yaml",
		   HEAD "include: [many.yaml, many.yaml, many.yaml]\n" RULE
			"  - {label: origin, match: a}\n");
	load_rejects(*state, "over.yaml", "over.yaml:5:5: more than 100000 rules");
	buf_release(&text);
}

static void rules_reject_more_than_a_million_patterns(void **state)
{
	struct buf text = BUF_INIT;

	buf_adds(&text, HEAD "rules:\n- label: public\n  match: [");
	for (size_t i = 0; i < 250000; i++)
		buf_adds(&text, "a,\n");
	buf_adds(&text, "]\n");
	write_file(*state, "many.yaml", text.data);
	write_file(*state, "over.yaml",
		   HEAD "include: [many.yaml, many.yaml, many.yaml, many.yaml]\n" RULE);
	load_rejects(*state, "over.yaml", "over.yaml:4:28: more than 1000000 patterns");
	buf_release(&text);
}

/* --- several files ---------------------------------------------------------------------------- */

static void rules_of_an_include_stand_before_its_own(void **state)
{
	write_file(*state, "main.yaml",
		   HEAD "include: [a.yaml, sub/../b.yaml]\n"
			"rules:\n  - {label: public, match: m}\n");
	write_file(*state, "a.yaml", HEAD "rules:\n  - {label: origin, match: [m, ab]}\n");
	write_file(*state, "b.yaml", HEAD "rules:\n  - {label: private, match: [m, ab, b]}\n");
	char path[128];
	assert_int_equal(mkdir(path_in(*state, "sub", path), 0700), 0);

	struct rules *r = load(*state, "main.yaml");
	assert_int_equal(rules_count(r), 3);
	assert_string_equal(label_of(r, "m"), "public");
	assert_string_equal(label_of(r, "ab"), "private");
	assert_string_equal(label_of(r, "b"), "private");
	assert_string_equal(rules_get(r, 1)->place.file, path_in(*state, "sub/../b.yaml", path));
	assert_int_equal(rules_get(r, 1)->place.line, 3);
	assert_int_equal(rules_get(r, 1)->index, 1);
	rules_free(r);
}

static void rules_settings_outrank_those_of_includes(void **state)
{
	write_file(*state, "main.yaml", HEAD "include: [a.yaml]\ndefault: error\n" RULE);
	write_file(*state, "a.yaml", HEAD "default: private\nsymlinks: skip\ninclude: [b.yaml]\n");
	write_file(*state, "b.yaml", HEAD "symlinks: follow\n");

	struct rules *r = load(*state, "main.yaml");
	assert_string_equal(label_of(r, "unnamed"), "none");
	assert_int_equal(rules_symlinks(r), RULES_SYMLINKS_SKIP);
	rules_free(r);
}

static void rules_of_a_later_file_outrank_those_of_an_earlier(void **state)
{
	char a[128], b[128];
	struct err e = {0};

	write_file(*state, "a.yaml",
		   HEAD
		   "default: private\nsymlinks: skip\nrules:\n  - {label: public, match: x}\n");
	write_file(*state, "b.yaml",
		   HEAD "symlinks: follow\nrules:\n  - {label: origin, match: x}\n");
	const char *files[] = {path_in(*state, "a.yaml", a), path_in(*state, "b.yaml", b)};
	struct rules *r = rules_load(files, 2, &e);
	assert_non_null(r);
	assert_string_equal(label_of(r, "unnamed"), "private");
	assert_int_equal(rules_symlinks(r), RULES_SYMLINKS_FOLLOW);
	assert_string_equal(label_of(r, "x"), "origin");
	rules_free(r);

	const char *swapped[] = {b, a};
	r = rules_load(swapped, 2, &e);
	assert_non_null(r);
	assert_int_equal(rules_symlinks(r), RULES_SYMLINKS_SKIP);
	assert_string_equal(label_of(r, "x"), "public");
	rules_free(r);
}

static void rules_may_stand_in_one_file_and_settings_in_another(void **state)
{
	char a[128], b[128];
	struct err e = {0};

	write_file(*state, "a.yaml", HEAD "default: private\n");
	write_file(*state, "b.yaml", HEAD RULE);
	const char *files[] = {path_in(*state, "a.yaml", a), path_in(*state, "b.yaml", b)};
	struct rules *r = rules_load(files, 2, &e);
	assert_non_null(r);
	assert_string_equal(label_of(r, "unnamed"), "private");
	rules_free(r);
	load_rejects(*state, "a.yaml", "a.yaml:1:1: there are no rules");
}

static void rules_load_needs_a_file(void **state)
{
	struct err e = {0};

	(void)state;
	assert_null(rules_load(NULL, 0, &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "there is no rules file");
}

static void rules_load_reports_a_missing_file(void **state)
{
	struct err e = {0};
	const char *file = "no/such/file.yaml";

	(void)state;
	assert_null(rules_load(&file, 1, &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot open 'no/such/file.yaml': No such file or directory");
}

/* Loads "-" with `text` on standard input. */
static struct rules *load_stdin(const char *text, struct err *e)
{
	const char *file = "-";
	int ends[2], before = dup(STDIN_FILENO);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(ends[0]), 0);
	struct rules *r = rules_load(&file, 1, e);
	if (before >= 0) {
		assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
		assert_int_equal(close(before), 0);
	}
	return r;
}

static void rules_are_read_from_standard_input(void **state)
{
	struct err e = {0};
	struct rules *r = load_stdin(HEAD RULE, &e);

	(void)state;
	assert_non_null(r);
	assert_string_equal(rules_get(r, 0)->place.file, "standard input");
	rules_free(r);

	assert_null(load_stdin(HEAD "rules: []\n", &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "standard input:2:8: rules is empty");

	/* An include of this name is a file. */
	assert_null(load_stdin(HEAD "include: ['-']\n", &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg,
			    "standard input:2:11: cannot open './-': No such file or directory");
}

static void rules_include_16_levels_deep(void **state)
{
	char name[32], text[128];

	for (int i = 0; i < 17; i++) {
		(void)snprintf(name, sizeof name, "%d.yaml", i);
		(void)snprintf(text, sizeof text, HEAD "include: [%d.yaml]\n", i + 1);
		write_file(*state, name, text);
	}
	write_file(*state, "17.yaml", HEAD RULE);
	load_rejects(*state, "0.yaml", "16.yaml:2:11: included more than 16 levels deep");
	rules_free(load(*state, "1.yaml"));
}

static void rules_includes_that_multiply_are_cut_off(void **state)
{
	char name[32], text[128];

	for (int i = 0; i < 16; i++) {
		(void)snprintf(name, sizeof name, "%d.yaml", i);
		(void)snprintf(text, sizeof text, HEAD "include: [%d.yaml, %d.yaml]\n", i + 1,
			       i + 1);
		write_file(*state, name, text);
	}
	write_file(*state, "16.yaml", HEAD RULE);
	struct err e = {0};
	char path[128];
	const char *files[] = {path_in(*state, "0.yaml", path)};
	assert_null(rules_load(files, 1, &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.msg, ": more than 1000 files are included"));
	rules_free(load(*state, "8.yaml"));
}

static void rules_name_a_cycle_under_other_names(void **state)
{
	char a[128], b[128], expected[1024];
	const struct folder *f = *state;

	write_file(f, "a.yaml", HEAD "include: [b.yaml]\n" RULE);
	assert_int_equal(symlink("a.yaml", path_in(f, "b.yaml", b)), 0);
	(void)snprintf(expected, sizeof expected,
		       "a.yaml:2:11: include goes round in a circle: %s -> %s",
		       path_in(f, "a.yaml", a), b);
	load_rejects(f, "a.yaml", expected);
}

static void rules_do_not_wait_for_a_pipe_to_include(void **state)
{
	char pipe_path[128], expected[512];

	assert_int_equal(mkfifo(path_in(*state, "pipe", pipe_path), 0600), 0);
	write_file(*state, "a.yaml", HEAD "include: [pipe]\n" RULE);
	(void)snprintf(expected, sizeof expected, "a.yaml:2:11: '%s' is not a regular file",
		       pipe_path);
	load_rejects(*state, "a.yaml", expected);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules_label_by_the_last_rule_that_matches),
	    cmocka_unit_test(rules_do_not_mind_how_accents_are_spelt),
	    cmocka_unit_test(rules_tell_which_pattern_decided),
	    cmocka_unit_test(rules_name_the_place_of_a_rule),
	    cmocka_unit_test(rules_match_asks_one_rule_alone),
	    cmocka_unit_test(rules_read_a_negated_directory_so_that_less_is_published),
	    cmocka_unit_test(rules_default_labels_what_no_rule_names),
	    cmocka_unit_test(rules_symlinks_are_an_error_unless_said),
	    cmocka_unit_test(rules_take_keys_in_any_order),
	    cmocka_unit_test(rules_take_plain_scalars_as_strings),
	    cmocka_unit_test(rules_take_a_byte_order_mark),
	    cmocka_unit_test(rules_take_headers_of_255_bytes),
	    cmocka_unit_test(rules_free_takes_null),
	    cmocka_unit_test(rules_reject_every_bad_file),
	    cmocka_unit_test(rules_reject_unknown_key_and_suggest_one),
	    cmocka_unit_test(rules_reject_duplicate_key),
	    cmocka_unit_test(rules_reject_nul_in_a_string),
	    cmocka_unit_test(rules_reject_a_version_before_its_unknown_keys),
	    WITH_FOLDER(rules_reject_a_file_over_one_mebibyte),
	    WITH_FOLDER(rules_reject_more_than_100000_rules),
	    WITH_FOLDER(rules_reject_more_than_a_million_patterns),
	    WITH_FOLDER(rules_of_an_include_stand_before_its_own),
	    WITH_FOLDER(rules_settings_outrank_those_of_includes),
	    WITH_FOLDER(rules_of_a_later_file_outrank_those_of_an_earlier),
	    WITH_FOLDER(rules_may_stand_in_one_file_and_settings_in_another),
	    cmocka_unit_test(rules_load_needs_a_file),
	    cmocka_unit_test(rules_load_reports_a_missing_file),
	    cmocka_unit_test(rules_are_read_from_standard_input),
	    WITH_FOLDER(rules_include_16_levels_deep),
	    WITH_FOLDER(rules_includes_that_multiply_are_cut_off),
	    WITH_FOLDER(rules_name_a_cycle_under_other_names),
	    WITH_FOLDER(rules_do_not_wait_for_a_pipe_to_include),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
