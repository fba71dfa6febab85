#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/opt.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct values {
	bool flag;
	unsigned count;
	const char *string, *choice;
	struct opt_list strings;
	struct opt_number number, size, duration;
};

static const char *const choices[] = {"auto", "always", "never", NULL};

#define AT(field) offsetof(struct values, field), NULL

static const struct opt table[] = {
    {OPT_FLAG, 'f', "flag", NULL, "a flag", AT(flag)},
    {.kind = OPT_SECTION, .help = "More"},
    {OPT_COUNT, 'c', "count", NULL, "counted", AT(count)},
    {OPT_STRING, 's', "string", "S", "a string\non two lines", AT(string)},
    {OPT_STRINGS, 'm', "many", "S", "strings", AT(strings)},
    {OPT_NUMBER, 'n', "number", "N", "a number", AT(number)},
    {OPT_SIZE, 0, "size", "BYTES", "a size", AT(size)},
    {OPT_DURATION, 0, "an-option-with-a-long-name", "TIME", "a duration", AT(duration)},
    {OPT_CHOICE, 0, "choice", "WORD", "one of them", offsetof(struct values, choice), choices},
    OPT_END,
};

struct line {
	struct values values;
	struct opt_list operands;
};

/* Words up to NULL. */
static int parse(struct line *ret, struct err *e, const char *const *words)
{
	const char *argv[32] = {"test"};
	int argc = 1;

	for (; *words != NULL; words++)
		argv[argc++] = *words;
	*ret = (struct line){.values = {.flag = false}};
	*e = (struct err){.code = ERR_NONE};
	return opt_parse(table, argc, (char *const *)(uintptr_t)argv, &ret->values, &ret->operands,
			 e);
}

static void release(struct line *l)
{
	opt_release(table, &l->values, &l->operands);
	assert_null(l->operands.items);
	assert_null(l->values.strings.items);
}

#define PARSE(l, ...)                                                               \
	do {                                                                        \
		struct err e_;                                                      \
		if (parse((l), &e_, (const char *const[]){__VA_ARGS__, NULL}) != 0) \
			fail_msg("%s", e_.msg);                                     \
	} while (0)

#define REJECT(message, ...)                                                                     \
	do {                                                                                     \
		struct err e_;                                                                   \
		struct line l_;                                                                  \
		assert_int_equal(parse(&l_, &e_, (const char *const[]){__VA_ARGS__, NULL}), -1); \
		assert_string_equal(e_.msg, (message));                                          \
		assert_int_equal(e_.code, ERR_USAGE);                                            \
		release(&l_);                                                                    \
	} while (0)

static void opt_takes_long_options_in_two_forms(void **state)
{
	struct line l;

	(void)state;
	PARSE(&l, "--flag", "--string=a=b", "--number", "7", "--size=64KiB",
	      "--an-option-with-a-long-name", "30d", "--choice=never");
	assert_true(l.values.flag);
	assert_string_equal(l.values.string, "a=b");
	assert_true(l.values.number.given);
	assert_int_equal(l.values.number.value, 7);
	assert_true(l.values.size.given);
	assert_int_equal(l.values.size.value, 65536);
	assert_int_equal(l.values.duration.value, 2592000);
	assert_string_equal(l.values.choice, "never");
	assert_int_equal(l.operands.count, 0);
	release(&l);
	PARSE(&l, "x");
	assert_false(l.values.flag);
	assert_null(l.values.string);
	assert_false(l.values.number.given);
	release(&l);
}

static void opt_letters_may_be_joined(void **state)
{
	struct line l;

	(void)state;
	PARSE(&l, "-cfc", "-c", "-n7", "-fs", "value");
	assert_int_equal(l.values.count, 3);
	assert_true(l.values.flag);
	assert_int_equal(l.values.number.value, 7);
	assert_string_equal(l.values.string, "value");
	release(&l);
	/* All that stands behind the letter is its value. */
	PARSE(&l, "-sf", "-n", "8");
	assert_string_equal(l.values.string, "f");
	assert_false(l.values.flag);
	assert_int_equal(l.values.number.value, 8);
	release(&l);
	PARSE(&l, "-s=x");
	assert_string_equal(l.values.string, "=x");
	release(&l);
}

static void opt_operands_may_stand_anywhere(void **state)
{
	struct line l;

	(void)state;
	PARSE(&l, "a", "-f", "b", "--", "-f", "--flag", "--", "-");
	assert_true(l.values.flag);
	assert_int_equal(l.operands.count, 6);
	assert_string_equal(l.operands.items[0], "a");
	assert_string_equal(l.operands.items[1], "b");
	assert_string_equal(l.operands.items[2], "-f");
	assert_string_equal(l.operands.items[4], "--");
	release(&l);
	PARSE(&l, "-", "");
	assert_int_equal(l.operands.count, 2);
	assert_string_equal(l.operands.items[0], "-");
	release(&l);
}

/* What stands where a value is due is that value, whatever it looks like. */
static void opt_values_may_look_like_options(void **state)
{
	struct line l;

	(void)state;
	PARSE(&l, "--string", "--flag", "-m", "--", "-m", "-", "-m-f");
	assert_string_equal(l.values.string, "--flag");
	assert_false(l.values.flag);
	assert_int_equal(l.values.strings.count, 3);
	assert_string_equal(l.values.strings.items[0], "--");
	assert_string_equal(l.values.strings.items[1], "-");
	assert_string_equal(l.values.strings.items[2], "-f");
	assert_int_equal(l.operands.count, 0);
	release(&l);
}

static void opt_does_not_know_abbreviations(void **state)
{
	(void)state;
	REJECT("unknown option '--fla' (did you mean '--flag'?)", "--fla");
	REJECT("unknown option '--flags' (did you mean '--flag'?)", "--flags");
	REJECT("unknown option '--strnig' (did you mean '--string'?)", "--strnig=x");
	REJECT("unknown option '--Flag' (did you mean '--flag'?)", "--Flag");
	REJECT("unknown option '--something-else'", "--something-else");
	REJECT("unknown option '--'", "--=x");
	REJECT("unknown option '-x'", "-fx");
	REJECT("unknown option '-F'", "-F");
	REJECT("unknown option '-\xC3'", "-\xC3\xA9");
	REJECT("unknown option "
	       "'--0123456789012345678901234567890123456789012345678901234567890123456'",
	       "--0123456789012345678901234567890123456789012345678901234567890123456");
}

static void opt_values_are_given_once(void **state)
{
	struct line l;

	(void)state;
	REJECT("--string is given twice", "--string=a", "-sb");
	REJECT("--number is given twice", "-n1", "-n1");
	REJECT("--choice is given twice", "--choice=auto", "--choice=auto");
	PARSE(&l, "-f", "-f", "-ff", "-ma", "-mb");
	assert_int_equal(l.values.strings.count, 2);
	release(&l);
}

static void opt_values_must_be_there(void **state)
{
	(void)state;
	REJECT("--string needs a value", "--string");
	REJECT("-s (--string) needs a value", "-fs");
	REJECT("--string needs a value that is not empty", "--string=");
	REJECT("--many needs a value that is not empty", "-m", "");
	REJECT("--number needs a value that is not empty", "--number", "");
	REJECT("--flag takes no value", "--flag=true");
	REJECT("--count takes no value", "--count=");
}

static void opt_values_must_be_of_their_kind(void **state)
{
	(void)state;
	REJECT("--number needs a number, not '-1'", "-n-1");
	REJECT("--number needs a number, not '1K'", "--number=1K");
	REJECT("--number needs a number, not '9007199254740992'", "-n9007199254740992");
	REJECT("--size needs a size such as 65536, 256K or 1GiB, not '1 K'", "--size=1 K");
	REJECT("--size needs a size such as 65536, 256K or 1GiB, not '1kB'", "--size", "1kB");
	REJECT("--size is given twice", "--size=1", "--size=1");
	REJECT("--an-option-with-a-long-name needs a duration such as 90s, 15m, 4h or 30d, not '7'",
	       "--an-option-with-a-long-name=7");
	REJECT("--choice needs one of auto, always, never, not 'maybe'", "--choice=maybe");
	REJECT("--choice needs one of auto, always, never, not 'alway'", "--choice=alway");
}

static void opt_counts_operands(void **state)
{
	const struct opt_program one = {.operands = "TREE", .operands_min = 1, .operands_max = 2};
	const char *items[] = {"a", "b", "c"};
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t n = 0; n <= 3; n++) {
		const struct opt_list operands = {.items = items, .count = n};
		assert_int_equal(opt_check_operands(&one, &operands, &e),
				 n == 1 || n == 2 ? 0 : -1);
		if (n == 0)
			assert_string_equal(e.msg, "missing operand: TREE");
		if (n == 3)
			assert_string_equal(e.msg, "one operand too many: 'c'");
	}
	assert_int_equal(e.code, ERR_USAGE);
}

static void opt_help_lists_all(void **state)
{
	static const struct opt common[] = {{OPT_FLAG, 0, "help", NULL, "help", AT(flag)}, OPT_END};
	const struct opt_program program = {.name = "test",
					    .usage = "[OPTION]... TREE\n--other",
					    .purpose = "Test.",
					    .options = table};
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	assert_non_null(to);
	opt_help(to, &program, common);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(strncmp(text,
				 "Usage: test [OPTION]... TREE\n"
				 "       test --other\n"
				 "Test.\n"
				 "  -f, --flag              a flag\n"
				 "\n"
				 "More:\n"
				 "  -c, --count             counted\n"
				 "  -s, --string S          a string\n"
				 "                          on two lines\n",
				 200),
			 0);
	assert_non_null(strstr(text, "      --an-option-with-a-long-name TIME\n"
				     "                          a duration\n"));
	assert_non_null(strstr(text, "      --help              help\n"));
	assert_non_null(strstr(text, "Manual: man test\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(opt_takes_long_options_in_two_forms),
	    cmocka_unit_test(opt_letters_may_be_joined),
	    cmocka_unit_test(opt_operands_may_stand_anywhere),
	    cmocka_unit_test(opt_values_may_look_like_options),
	    cmocka_unit_test(opt_does_not_know_abbreviations),
	    cmocka_unit_test(opt_values_are_given_once),
	    cmocka_unit_test(opt_values_must_be_there),
	    cmocka_unit_test(opt_values_must_be_of_their_kind),
	    cmocka_unit_test(opt_counts_operands),
	    cmocka_unit_test(opt_help_lists_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
