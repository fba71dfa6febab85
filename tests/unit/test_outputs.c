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

#include "swarm/outputs.h"

/* Every test works in a folder of its own, with a tree, rules and what else is read. */
struct fixture {
	char home[64];
	struct rules *rules;
	struct source *source;
	struct err e;
};

static int write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		return -1;
	int status = fputs(text, file) >= 0 ? 0 : -1;
	return fclose(file) == 0 ? status : -1;
}

static int make(void **state)
{
	static const char *const files[] = {"r.yaml"};
	struct fixture *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	(void)snprintf(f->home, sizeof f->home, "/tmp/swarm-test-outputs-XXXXXX");
	if (mkdtemp(f->home) == NULL || chdir(f->home) != 0 || mkdir("tree", 0755) != 0 ||
	    mkdir("tree/secret", 0755) != 0 || mkdir("out", 0755) != 0 || mkdir("run", 0755) != 0 ||
	    symlink("tree", "alias") != 0 || write_file("some.log", "") != 0 ||
	    write_file("tree/a.png", "a") != 0 ||
	    write_file("base.yaml", "swarm: rules/1\nrules: [{label: public, match: '*'}]\n") !=
		0 ||
	    write_file("r.yaml", "swarm: rules/1\ninclude: [base.yaml]\n"
				 "rules: [{label: private, match: secret/}]\n") != 0)
		return -1;
	f->rules = rules_load(files, 1, &f->e);
	f->source = source_open("tree", 2, &f->e);
	*state = f;
	return f->rules != NULL && f->source != NULL ? 0 : -1;
}

static int unmake(void **state)
{
	struct fixture *f = *state;
	char command[128];

	source_close(f->source);
	rules_free(f->rules);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", f->home);
	free(f);
	return chdir("/") == 0 ? system(command) : -1;
}

static const struct outputs_input inputs[] = {{NULL, "nothing"}, {"some.log", "an access log"}};

static int check_all(struct fixture *f, const struct outputs *outputs, unsigned strip)
{
	f->e = (struct err){.code = ERR_NONE};
	return outputs_check(outputs, f->source, f->rules, strip, &f->e);
}

static int check(struct fixture *f, const char *inventory, const char *bundle, const char *report,
		 unsigned strip)
{
	const struct outputs outputs = {.inventory = inventory,
					.bundle = bundle,
					.report = report,
					.inputs = inputs,
					.input_count = 2};

	return check_all(f, &outputs, strip);
}

static void assert_fine(struct fixture *f, const char *inventory, const char *bundle,
			const char *report)
{
	if (check(f, inventory, bundle, report, 0) != 0)
		fail_msg("%s", f->e.msg);
}

static void assert_refused(struct fixture *f, const char *inventory, const char *bundle,
			   const char *report, const char *message)
{
	assert_int_equal(check(f, inventory, bundle, report, 0), -1);
	assert_int_equal(f->e.code, ERR_USAGE);
	assert_string_equal(f->e.msg, message);
}

static void outputs_may_stand_beside_the_tree(void **state)
{
	struct fixture *f = *state;

	assert_fine(f, "-", NULL, NULL);
	assert_fine(f, "i", "b.tar", "r");
	assert_fine(f, "i", "new/", "r");
	assert_fine(f, "tree.inventory", "tree.tar", "treeish");
	/* Whether there is such a folder is for those to say who open them. */
	assert_fine(f, "none/i", "none/b/", "none/r");
}

static void outputs_may_not_be_each_other(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "x", NULL, "x", "the output 'x' is the inventory as well");
	assert_refused(f, "x", NULL, "./out/../x",
		       "the output './out/../x' is the inventory as well");
	assert_refused(f, "x.tar", "x.tar", NULL, "the output 'x.tar' is the inventory as well");
	assert_refused(f, "i", "x.tar", "x.tar", "the output 'x.tar' is the bundle as well");
}

static void outputs_may_not_be_inputs(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "some.log", NULL, NULL, "the output 'some.log' is an access log as well");
	assert_refused(f, "i", NULL, "some.log", "the output 'some.log' is an access log as well");
	assert_refused(f, "r.yaml", NULL, NULL, "the output 'r.yaml' is a file of rules as well");
	assert_refused(f, "i", NULL, "base.yaml",
		       "the output 'base.yaml' is a file of rules as well");
	assert_refused(f, "tree", NULL, NULL, "the output 'tree' is what is packed as well");
	assert_refused(f, "i", "alias/", NULL, "the output 'alias/' is what is packed as well");
	assert_int_equal(link("some.log", "other"), 0);
	assert_refused(f, "i", NULL, "other", "the output 'other' is an access log as well");
}

static void outputs_may_not_be_rules_that_hold_no_rule(void **state)
{
	static const char *const files[] = {"only.yaml", "guards.yaml"};
	struct fixture *f = *state;

	assert_int_equal(write_file("only.yaml", "swarm: rules/1\ninclude: [r.yaml]\n"), 0);
	assert_int_equal(write_file("guards.yaml", "swarm: rules/1\n"
						   "guards: [{id: word, regex: word}]\n"),
			 0);
	rules_free(f->rules);
	f->rules = rules_load(files, 2, &f->e);
	assert_non_null(f->rules);
	assert_refused(f, "only.yaml", NULL, NULL,
		       "the output 'only.yaml' is a file of rules as well");
	assert_refused(f, "i", NULL, "guards.yaml",
		       "the output 'guards.yaml' is a file of rules as well");
}

#define LIES(path)                                                                            \
	"the output '" path "' would lie in the tree that is packed: write it elsewhere, or " \
	"label it private"

static void outputs_may_not_lie_in_the_tree(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "tree/i", NULL, NULL, LIES("tree/i"));
	assert_refused(f, "i", "tree/b.tar", NULL, LIES("tree/b.tar"));
	assert_refused(f, "i", "tree/b/", NULL, LIES("tree/b/"));
	assert_refused(f, "i", NULL, "tree/r", LIES("tree/r"));
	assert_refused(f, "alias/i", NULL, NULL, LIES("alias/i"));
	assert_refused(f, "out/../tree/i", NULL, NULL, LIES("out/../tree/i"));
	assert_int_equal(symlink("tree/i", "link"), 0);
	assert_int_equal(write_file("tree/i", ""), 0);
	assert_refused(f, "link", NULL, NULL, LIES("link"));
}

static void outputs_may_lie_in_the_tree_where_it_is_private(void **state)
{
	struct fixture *f = *state;

	assert_fine(f, "tree/secret/i", "tree/secret/b.tar", "tree/secret/r");
	/* With the first component dropped, the names are others. */
	assert_int_equal(check(f, "tree/secret/i", NULL, NULL, 1), -1);
	assert_int_equal(f->e.code, ERR_USAGE);
}

static void outputs_may_not_replace_a_folder_that_is_needed(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "out/i", "out/", NULL, "the bundle 'out/' would replace the inventory");
	assert_refused(f, "i", "out/", "out/r", "the bundle 'out/' would replace the report");
	assert_int_equal(chdir("run"), 0);
	assert_refused(f, "../i", "../run/", NULL,
		       "the bundle '../run/' would replace the current directory");
	assert_int_equal(chdir(".."), 0);
	assert_fine(f, "i", "out/", "r");
}

static void assert_no_cache(struct fixture *f, const char *cache, const char *message)
{
	const struct outputs outputs = {.inventory = "i",
					.bundle = "out/",
					.report = "r",
					.cache = cache,
					.inputs = inputs,
					.input_count = 2};
	int status = check_all(f, &outputs, 0);

	assert_string_equal(f->e.msg, message);
	assert_int_equal(status, -1);
	assert_int_equal(f->e.code, ERR_USAGE);
}

static void outputs_hold_a_cache_to_the_same_rules(void **state)
{
	struct fixture *f = *state;
	const struct outputs fine = {.inventory = "i", .cache = "tree/secret/c"};

	assert_int_equal(check_all(f, &fine, 0), 0);
	assert_int_equal(check_all(f, &fine, 1), -1);
	assert_no_cache(f, "i", "the output 'i' is the inventory as well");
	assert_no_cache(f, "out", "the output 'out' is the bundle as well");
	assert_no_cache(f, "./r", "the output './r' is the report as well");
	assert_no_cache(f, "tree", "the output 'tree' is what is packed as well");
	assert_no_cache(f, "base.yaml", "the output 'base.yaml' is a file of rules as well");
	assert_no_cache(f, "some.log", "the output 'some.log' is an access log as well");
	assert_no_cache(f, "alias/c", LIES("alias/c"));
	assert_no_cache(f, "out/c", "the bundle 'out/' would replace the cache");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
	    WITH(outputs_may_stand_beside_the_tree),
	    WITH(outputs_may_not_be_each_other),
	    WITH(outputs_may_not_be_inputs),
	    WITH(outputs_may_not_be_rules_that_hold_no_rule),
	    WITH(outputs_may_not_lie_in_the_tree),
	    WITH(outputs_may_lie_in_the_tree_where_it_is_private),
	    WITH(outputs_may_not_replace_a_folder_that_is_needed),
	    WITH(outputs_hold_a_cache_to_the_same_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
