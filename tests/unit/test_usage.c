#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/usage.h"

struct fixture {
	struct rules *rules;
	struct usage usage;
};

static void start(struct fixture *f, const char *text)
{
	struct err e = {.code = ERR_NONE};

	f->rules = rules_parse("r.yaml", text, strlen(text), &e);
	if (f->rules == NULL)
		fail_msg("%s", e.msg);
	assert_int_equal(usage_init(&f->usage, f->rules, &e), 0);
}

static void finish(struct fixture *f)
{
	usage_release(&f->usage);
	usage_release(&f->usage);
	rules_free(f->rules);
}

static void note(struct fixture *f, const char *path)
{
	struct rules_verdict verdict;

	rules_decide(f->rules, path, false, &verdict);
	usage_note(&f->usage, f->rules, path, &verdict);
}

static void assert_dead(const struct fixture *f, const char *want)
{
	struct buf text = BUF_INIT;

	usage_describe_dead(&text, &f->usage);
	assert_string_equal(text.data != NULL ? text.data : "", want);
	buf_release(&text);
}

#define ALL "swarm: rules/1\ndefault: private\nrules:\n"

static void usage_counts_who_decides(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, ALL "- {label: public, match: '*.png'}\n- {label: origin, match: '/a/'}\n");
	note(&f, "x.png");
	note(&f, "a/x.png");
	note(&f, "a/y.png");
	note(&f, "README");
	assert_int_equal(f.usage.count, 2);
	assert_int_equal(f.usage.rules[0].decided, 1);
	assert_int_equal(f.usage.rules[1].decided, 2);
	assert_true(f.usage.rules[0].matched);
	assert_true(f.usage.rules[1].matched);
	assert_ptr_equal(f.usage.rules[1].rule, rules_get(f.rules, 1));
	assert_dead(&f, "");
	finish(&f);
}

static void usage_names_rules_that_match_nothing(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, ALL "- {label: public, match: '*.png'}\n- {label: origin, match: '*.gif'}\n");
	assert_dead(&f, "r.yaml:4:3: this rule matches nothing in the tree\n"
			"r.yaml:5:3: this rule matches nothing in the tree\n");
	note(&f, "x.png");
	assert_false(f.usage.rules[1].matched);
	assert_dead(&f, "r.yaml:5:3: this rule matches nothing in the tree\n");
	finish(&f);
}

static void usage_names_who_overrules_and_for_what(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, ALL "- {label: public, match: '*.png'}\n"
		      "- {label: origin, match: '*.gif'}\n"
		      "- {label: private, match: '*'}\n");
	note(&f, "first.png");
	note(&f, "second.png");
	assert_ptr_equal(f.usage.rules[0].overruled_by, rules_get(f.rules, 2));
	assert_string_equal(f.usage.rules[0].example, "first.png");
	assert_dead(&f, "r.yaml:4:3: this rule labels nothing: later ones overrule it, such as "
			"r.yaml:6:3 for 'first.png'\n"
			"r.yaml:5:3: this rule matches nothing in the tree\n");
	finish(&f);
}

/* One path that it decides is enough, whenever that comes. */
static void usage_forgives_a_rule_that_decides_at_last(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, ALL "- {label: public, match: '*.png'}\n- {label: private, match: '/a/'}\n");
	note(&f, "a/x.png");
	assert_dead(&f, "r.yaml:4:3: this rule labels nothing: later ones overrule it, such as "
			"r.yaml:5:3 for 'a/x.png'\n");
	note(&f, "x.png");
	assert_dead(&f, "");
	finish(&f);
}

static void usage_prints_no_control_characters(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, ALL "- {label: public, match: '*.png'}\n- {label: private, match: '*'}\n");
	note(&f, "a\x1b[2J\n.png");
	assert_dead(&f, "r.yaml:4:3: this rule labels nothing: later ones overrule it, such as "
			"r.yaml:5:3 for 'a\\x1b[2J\\x0a.png'\n");
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(usage_counts_who_decides),
	    cmocka_unit_test(usage_names_rules_that_match_nothing),
	    cmocka_unit_test(usage_names_who_overrules_and_for_what),
	    cmocka_unit_test(usage_forgives_a_rule_that_decides_at_last),
	    cmocka_unit_test(usage_prints_no_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
