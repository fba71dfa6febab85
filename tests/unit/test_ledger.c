#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/entry.h"
#include "swarm/ledger.h"

static const char rules_text[] = "swarm: rules/1\n"
				 "default: private\n"
				 "rules:\n"
				 "  - {label: public, match: ['*.png', '/js/']}\n"
				 "  - {label: private, match: '*.key'}\n"
				 "disable-guards: [vcs]\n";

struct fixture {
	char path[64];
	struct rules *rules;
	struct guards *guards;
	struct scratch *scratch;
	struct scan scan;
	struct scan_file files[8], kept[8];
	struct scan_problem problems[8];
};

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = {.code = ERR_NONE};

	if (f == NULL)
		return -1;
	(void)snprintf(f->path, sizeof f->path, "/tmp/swarm-test-ledger-XXXXXX");
	int fd = mkstemp(f->path);
	f->rules = rules_parse("r.yaml", rules_text, sizeof rules_text - 1, &e);
	f->scratch = scratch_new(&e);
	if (fd < 0 || close(fd) != 0 || f->rules == NULL || f->scratch == NULL)
		return -1;
	f->guards = guards_new(rules_guards(f->rules), &e);
	f->scan = (struct scan){.files = f->files, .kept = f->kept, .problems = f->problems};
	*state = f;
	return f->guards != NULL ? usage_init(&f->scan.usage, f->rules, &e) : -1;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	usage_release(&f->scan.usage);
	guards_free(f->guards);
	rules_free(f->rules);
	scratch_free(f->scratch);
	free(f);
	return 0;
}

/* A file of the tree, labelled as the rules say. */
static struct scan_file *add(struct fixture *f, const char *path, uint64_t size)
{
	struct rules_verdict verdict;

	rules_decide(f->rules, path, false, &verdict);
	usage_note(&f->scan.usage, f->rules, path, &verdict);
	struct scan_file *file = verdict.label == LABEL_PRIVATE ? &f->kept[f->scan.kept_count++]
								: &f->files[f->scan.count++];
	*file = (struct scan_file){.path = path,
				   .content = path,
				   .size = size,
				   .rule = verdict.rule,
				   .label = verdict.label,
				   .hot = ENTRY_NOT_HOT};
	f->scan.totals[verdict.label].files++;
	f->scan.totals[verdict.label].bytes += size;
	return file;
}

static void add_problem(struct fixture *f, enum scan_fault fault, const char *path, const char *why)
{
	f->problems[f->scan.problem_count++] =
	    (struct scan_problem){.fault = fault, .path = path, .why = why};
}

/* Writes the report and reads it again; the caller frees it. */
static char *report(const struct fixture *f, bool content)
{
	const struct ledger ledger = {&f->scan, f->rules, f->guards, 0, content};
	const struct outfile_options options = {.force = true};
	struct err e = {.code = ERR_NONE};
	char *text = calloc(1, 8192);
	struct outfile *o = outfile_open(f->path, &options, f->scratch, &e);

	assert_non_null(text);
	if (o == NULL || ledger_write(&ledger, o, &e) != 0 || outfile_sync(o, &e) != 0 ||
	    outfile_commit(o, &e) != 0)
		fail_msg("%s", e.msg);
	outfile_free(o);
	FILE *file = fopen(f->path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, 8191, file) > 0);
	assert_int_equal(fclose(file), 0);
	return text;
}

/* The lines of paths; the last one has a test of its own. */
static void assert_paths(const struct fixture *f, const char *want)
{
	char *text = report(f, true);
	char *last = strstr(text, "{\"totals\"");

	assert_non_null(last);
	*last = '\0';
	assert_string_equal(text, want);
	free(text);
}

static void ledger_has_a_line_for_each_path_in_order(void **state)
{
	struct fixture *f = *state;

	add(f, "a/x.png", 1);
	add(f, "a.key", 22);
	add(f, "a.png", 3);
	add(f, "b.txt", 4);
	add(f, "js/z.js", 0);
	assert_paths(f,
		     "{\"path\":\"a/x.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\","
		     "\"pattern\":\"*.png\",\"size\":1}\n"
		     "{\"path\":\"a.key\",\"label\":\"private\",\"rule\":\"r.yaml:5:5\","
		     "\"pattern\":\"*.key\",\"size\":22}\n"
		     "{\"path\":\"a.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\","
		     "\"pattern\":\"*.png\",\"size\":3}\n"
		     "{\"path\":\"b.txt\",\"label\":\"private\",\"rule\":\"default\",\"size\":4}\n"
		     "{\"path\":\"js/z.js\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\","
		     "\"pattern\":\"/js/\",\"size\":0}\n");
}

static void ledger_ends_with_totals(void **state)
{
	struct fixture *f = *state;
	char want[1024];

	add(f, "a.png", 10);
	add(f, "b.png", 20);
	add(f, "c.txt", 5);
	(void)snprintf(want, sizeof want,
		       "{\"totals\":{\"public\":{\"files\":2,\"bytes\":30},\"origin\":{\"files\":0,"
		       "\"bytes\":0},\"private\":{\"files\":1,\"bytes\":5}},\"rules\":[{\"rule\":"
		       "\"r.yaml:4:5\",\"label\":\"public\",\"decided\":2,\"matched\":true},"
		       "{\"rule\":\"r.yaml:5:5\",\"label\":\"private\",\"decided\":0,\"matched\":"
		       "false}],\"guards\":{\"engine\":\"%s\",\"disabled\":[{\"guard\":\"vcs\"}],"
		       "\"content\":true},\"problem_count\":0}\n",
		       guards_engine(f->guards));
	char *text = report(f, true);
	assert_non_null(strstr(text, "{\"totals\""));
	assert_string_equal(strstr(text, "{\"totals\""), want);
	free(text);
	text = report(f, false);
	assert_non_null(strstr(text, "\"content\":false}"));
	free(text);
}

static void ledger_of_nothing_has_totals(void **state)
{
	struct fixture *f = *state;

	assert_paths(f, "");
}

static void ledger_puts_problems_where_they_are(void **state)
{
	static const struct guards_guard guard = {.id = "key", .description = "holds a key"};
	struct fixture *f = *state;

	add(f, "b.png", 1);
	add(f, "d.png", 1);
	add_problem(f, SCAN_UNLABELLED, "a", "no rule labels it");
	add_problem(f, SCAN_UNPORTABLE, "b.png", "it is odd");
	add_problem(f, SCAN_COLLISION, "b.png", "it is 'B.png'");
	f->problems[2].other = "B.png";
	add_problem(f, SCAN_LINK, "c", "a link");
	add_problem(f, SCAN_GUARD, "d.png", "holds a key");
	f->problems[4].guard = &guard;
	f->problems[4].line = 3;
	f->problems[4].count = 2;
	add_problem(f, SCAN_SPECIAL, "e", "not a file");
	assert_paths(
	    f, "{\"path\":\"a\",\"label\":\"unlabelled\",\"problems\":[{\"problem\":"
	       "\"unlabelled\",\"reason\":\"no rule labels it\"}]}\n"
	       "{\"path\":\"b.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\",\"pattern\":"
	       "\"*.png\",\"size\":1,\"problems\":[{\"problem\":\"unportable\",\"reason\":"
	       "\"it is odd\"},{\"problem\":\"collision\",\"reason\":\"it is 'B.png'\","
	       "\"other\":\"B.png\"}]}\n"
	       "{\"path\":\"c\",\"problems\":[{\"problem\":\"link\",\"reason\":\"a link\"}]}\n"
	       "{\"path\":\"d.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\",\"pattern\":"
	       "\"*.png\",\"size\":1,\"problems\":[{\"problem\":\"guard\",\"reason\":"
	       "\"holds a key\",\"guard\":\"key\",\"line\":3,\"offset\":0,\"count\":2}]}\n"
	       "{\"path\":\"e\",\"problems\":[{\"problem\":\"special\",\"reason\":"
	       "\"not a file\"}]}\n");
}

static void ledger_tells_whose_content_a_link_has(void **state)
{
	/* Arrays, since the linker may put one literal at the end of another. */
	static const char below[] = "top/b.png", own[] = "c.png", other[] = "img/c.png";
	struct fixture *f = *state;

	add(f, "a.png", 1)->content = "img/x.png";
	/* --strip-components has dropped the start of its own name ... */
	add(f, below + 4, 1)->content = below;
	/* ... and a link may lead to a file of its own name. */
	add(f, own, 1)->content = other;
	assert_paths(f, "{\"path\":\"a.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\","
			"\"pattern\":\"*.png\",\"size\":1,\"content\":\"img/x.png\"}\n"
			"{\"path\":\"b.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\","
			"\"pattern\":\"*.png\",\"size\":1}\n"
			"{\"path\":\"c.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\","
			"\"pattern\":\"*.png\",\"size\":1,\"content\":\"img/c.png\"}\n");
}

static void ledger_tells_what_is_hot(void **state)
{
	struct fixture *f = *state;

	add(f, "a.png", 1)->hot = 0;
	add(f, "b.png", 1)->hot = 12;
	assert_paths(f, "{\"path\":\"a.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\","
			"\"pattern\":\"*.png\",\"size\":1,\"hot\":0}\n"
			"{\"path\":\"b.png\",\"label\":\"public\",\"rule\":\"r.yaml:4:5\","
			"\"pattern\":\"*.png\",\"size\":1,\"hot\":12}\n");
}

static void ledger_keeps_names_apart_from_its_lines(void **state)
{
	struct fixture *f = *state;

	add(f, "a\n{\"path\":\"x\"}\x1b.txt", 1);
	add(f, "b\xFF", 1);
	assert_paths(f, "{\"path\":\"a\\u000a{\\\"path\\\":\\\"x\\\"}\\u001b.txt\",\"label\":"
			"\"private\",\"rule\":\"default\",\"size\":1}\n"
			"{\"path\":\"b\uFFFD\",\"path_base64\":\"Yv8=\",\"label\":\"private\","
			"\"rule\":\"default\",\"size\":1}\n");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
	    WITH(ledger_has_a_line_for_each_path_in_order),
	    WITH(ledger_ends_with_totals),
	    WITH(ledger_of_nothing_has_totals),
	    WITH(ledger_puts_problems_where_they_are),
	    WITH(ledger_tells_whose_content_a_link_has),
	    WITH(ledger_tells_what_is_hot),
	    WITH(ledger_keeps_names_apart_from_its_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
