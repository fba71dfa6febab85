/* Input: the words of a command line, each with a NUL behind it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/num.h"
#include "swarm/opt.h"
#include "swarm/utc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS_MAX 256

struct values {
	bool flag;
	unsigned count;
	const char *string, *choice;
	struct opt_list strings;
	struct opt_number number, duration;
};

static const char *const choices[] = {"auto", "always", "never", NULL};

#define AT(field) offsetof(struct values, field), NULL

static const struct opt table[] = {
    {OPT_FLAG, 'f', "flag", NULL, "a flag", AT(flag)},
    {.kind = OPT_SECTION, .help = "More"},
    {OPT_COUNT, 'c', "count", NULL, "counted", AT(count)},
    {OPT_STRING, 's', "string", "S", "a string", AT(string)},
    {OPT_STRINGS, 'm', "many", "S", "strings", AT(strings)},
    {OPT_NUMBER, 'n', "number", "N", "a number", AT(number)},
    {OPT_DURATION, 0, "duration", "N", "a duration", AT(duration)},
    {OPT_CHOICE, 0, "choice", "WORD", "one of them", offsetof(struct values, choice), choices},
    OPT_END,
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_values(const struct values *v, const struct opt_list *operands, int argc)
{
	check(v->string == NULL || *v->string != '\0');
	check(v->choice == NULL || strcmp(v->choice, "auto") == 0 ||
	      strcmp(v->choice, "always") == 0 || strcmp(v->choice, "never") == 0);
	check(v->number.value <= NUM_MAX);
	check(v->duration.value <= (uint64_t)UTC_MAX);
	check(operands->count + v->strings.count < (size_t)argc);
	for (size_t i = 0; i < v->strings.count; i++)
		check(*v->strings.items[i] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS_MAX + 2] = {NULL}, name[] = "fuzz";
	char *text = malloc(size + 1);
	struct values v = {.flag = false};
	struct opt_list operands = {.items = NULL};
	struct err e = {.code = ERR_NONE};
	int argc = 1;

	check(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	argv[0] = name;
	for (char *word = text; word < text + size && argc <= WORDS_MAX; word += strlen(word) + 1)
		argv[argc++] = word;
	if (opt_parse(table, argc, argv, &v, &operands, &e) == 0)
		check_values(&v, &operands, argc);
	else
		check(e.code == ERR_USAGE && e.msg[0] != '\0');
	opt_release(table, &v, &operands);
	check(v.strings.items == NULL && operands.items == NULL);
	free(text);
	return 0;
}
