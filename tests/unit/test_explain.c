#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/explain.h"

static const char rules_text[] = "swarm: rules/1\n"
				 "rules:\n"
				 "  - {label: public, match: ['*.js', '/img/**']}\n"
				 "  - {label: private, match: [uploads/, '*.map']}\n"
				 "  - {label: public, match: /img/map.map}\n";

struct fixture {
	struct rules *rules;
	struct guards *guards;
	char *text;
	size_t len;
	struct err e;
};

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	f->rules = rules_parse("r.yaml", rules_text, sizeof rules_text - 1, &f->e);
	f->guards = f->rules != NULL ? guards_new(rules_guards(f->rules), &f->e) : NULL;
	*state = f;
	return f->guards != NULL ? 0 : -1;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	free(f->text);
	guards_free(f->guards);
	rules_free(f->rules);
	free(f);
	return 0;
}

/* Explains one path to f->text. */
static int explain(struct fixture *f, const char *path, bool json)
{
	const struct explain_options options = {
	    .rules = f->rules, .guards = f->guards, .json = json};

	free(f->text);
	f->text = NULL;
	f->e = (struct err){.code = ERR_NONE};
	FILE *to = open_memstream(&f->text, &f->len);
	assert_non_null(to);
	int status = explain_paths(&options, &path, 1, to, &f->e);
	assert_int_equal(fclose(to), 0);
	return status;
}

static void assert_explained(struct fixture *f, const char *path, const char *want)
{
	if (explain(f, path, false) != 0)
		fail_msg("'%s': %s", path, f->e.msg);
	assert_string_equal(f->text, want);
}

static void assert_refused(struct fixture *f, const char *path, const char *want, const char *why)
{
	assert_int_equal(explain(f, path, false), -1);
	assert_int_equal(f->e.code, ERR_REFUSED);
	assert_string_equal(f->e.msg, why);
	assert_string_equal(f->text, want);
}

static void explain_names_the_rule_and_the_pattern(void **state)
{
	struct fixture *f = *state;

	assert_explained(f, "a/x.js", "public\tr.yaml:3:5\t*.js\ta/x.js\n");
	assert_explained(f, "./a//x.js", "public\tr.yaml:3:5\t*.js\ta/x.js\n");
	assert_explained(f, "uploads/", "private\tr.yaml:4:5\tuploads/\tuploads/\n");
}

static void explain_names_those_that_are_outranked(void **state)
{
	struct fixture *f = *state;

	assert_explained(f, "img/map.map",
			 "public\tr.yaml:5:5\t/img/map.map\timg/map.map\n"
			 "  private\tr.yaml:4:5\t*.map\timg/map.map\n"
			 "  public\tr.yaml:3:5\t/img/**\timg/map.map\n");
}

static void explain_tells_of_what_no_rule_labels(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "README", "unlabelled\tdefault\t-\tREADME\n",
		       "no rule labels 1 of the paths");
}

static void explain_tells_of_names_that_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "con.js",
		       "public\tr.yaml:3:5\t*.js\tcon.js\n"
		       "  refused\t-\tit has the name of a Windows device\tcon.js\n",
		       "1 of the paths cannot be published");
	assert_refused(f, ".git/hook.js",
		       "public\tr.yaml:3:5\t*.js\t.git/hook.js\n"
		       "  refused\tvcs\tbelongs to version control\t.git/hook.js\n",
		       "1 of the paths cannot be published");
	/* Not of those that stay at home. */
	assert_explained(f, "uploads/con", "private\tr.yaml:4:5\tuploads/\tuploads/con\n");
}

static void explain_is_json_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(explain(f, "img/x.js", true), 0);
	assert_string_equal(f->text, "{\"path\":\"img/x.js\",\"label\":\"public\",\"rule\":"
				     "\"r.yaml:3:5\",\"pattern\":\"/img/**\",\"also\":[]}\n");
	assert_int_equal(explain(f, ".git/hook.js", true), -1);
	assert_string_equal(f->text, "{\"path\":\".git/hook.js\",\"label\":\"public\",\"rule\":"
				     "\"r.yaml:3:5\",\"pattern\":\"*.js\",\"also\":[],\"refused\":"
				     "\"belongs to version control\",\"guard\":\"vcs\"}\n");
	assert_int_equal(explain(f, "con.js", true), -1);
	assert_string_equal(f->text, "{\"path\":\"con.js\",\"label\":\"public\",\"rule\":"
				     "\"r.yaml:3:5\",\"pattern\":\"*.js\",\"also\":[],\"refused\":"
				     "\"it has the name of a Windows device\"}\n");
	assert_int_equal(explain(f, "README", true), -1);
	assert_string_equal(f->text, "{\"path\":\"README\",\"label\":\"unlabelled\",\"rule\":"
				     "\"default\",\"also\":[]}\n");
}

static void explain_prints_no_control_characters(void **state)
{
	struct fixture *f = *state;

	assert_explained(f, "uploads/a\x1b\n\xFF",
			 "private\tr.yaml:4:5\tuploads/\tuploads/a\\x1b\\x0a\\xff\n");
}

static void explain_needs_a_path_in_the_tree(void **state)
{
	static const char *const bad[] = {"", "/", "/a", "..", "../a.js", "a/../b.js", "."};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(explain(f, bad[i], false), -1);
		assert_int_equal(f->e.code, ERR_USAGE);
		assert_int_equal(f->len, 0);
	}
}

static void explain_tells_of_a_full_disk(void **state)
{
	struct fixture *f = *state;
	const struct explain_options options = {.rules = f->rules, .guards = f->guards};
	const char *const path = "a.js";
	FILE *full = fopen("/dev/full", "w");

	if (full == NULL)
		skip();
	assert_int_equal(setvbuf(full, NULL, _IONBF, 0), 0);
	assert_int_equal(explain_paths(&options, &path, 1, full, &f->e), -1);
	assert_int_equal(f->e.code, ERR_SYSTEM);
	(void)fclose(full);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
	    WITH(explain_names_the_rule_and_the_pattern),
	    WITH(explain_names_those_that_are_outranked),
	    WITH(explain_tells_of_what_no_rule_labels),
	    WITH(explain_tells_of_names_that_are_refused),
	    WITH(explain_is_json_too),
	    WITH(explain_prints_no_control_characters),
	    WITH(explain_needs_a_path_in_the_tree),
	    WITH(explain_tells_of_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
