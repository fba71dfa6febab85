#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/opt.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/num.h"
#include "swarm/text.h"
#include "swarm/utc.h"

#define HELP_COLUMN 26
#define OPTIONS_MAX 128

struct parser {
	const struct opt *options;
	char *const *argv;
	int argc, at;
	char *fields;
	bool seen[OPTIONS_MAX];
	struct opt_list *operands;
};

static bool is_end(const struct opt *o)
{
	return o->kind == OPT_SECTION && o->help == NULL;
}

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

static int append(struct opt_list *list, const char *item, struct err *e)
{
	const char **items = reallocarray(list->items, list->count + 1, sizeof *items);

	if (items == NULL)
		return err_nomem(e);
	list->items = items;
	items[list->count++] = item;
	return 0;
}

static int unknown_option(const struct parser *p, const char *name, struct err *e)
{
	const char *words[OPTIONS_MAX + 1];
	size_t n = 0;

	for (const struct opt *o = p->options; !is_end(o) && n < OPTIONS_MAX; o++)
		if (o->name != NULL)
			words[n++] = o->name;
	words[n] = NULL;
	const char *near = text_nearest(name, words);
	if (near == NULL)
		return err_set(e, ERR_USAGE, "unknown option '--%s'", name);
	return err_set(e, ERR_USAGE, "unknown option '--%s' (did you mean '--%s'?)", name, near);
}

static int bad_value(const struct opt *o, const char *wanted, const char *value, struct err *e)
{
	return err_set(e, ERR_USAGE, "--%s needs %s, not '%s'", o->name, wanted, value);
}

static int set_choice(const struct opt *o, const char **field, const char *value, struct err *e)
{
	struct buf known = BUF_INIT;

	for (size_t i = 0; o->choices[i] != NULL; i++) {
		if (strcmp(value, o->choices[i]) == 0) {
			*field = value;
			buf_release(&known);
			return 0;
		}
		buf_addf(&known, "%s%s", i > 0 ? ", " : "one of ", o->choices[i]);
	}
	(void)bad_value(o, known.data, value, e);
	buf_release(&known);
	return -1;
}

static int set_number(const struct opt *o, struct opt_number *field, const char *value,
		      struct err *e)
{
	int64_t seconds = 0;

	field->given = true;
	if (o->kind == OPT_NUMBER)
		return num_parse(value, &field->value) ? 0 : bad_value(o, "a number", value, e);
	if (o->kind == OPT_SIZE)
		return num_parse_size(value, &field->value)
			   ? 0
			   : bad_value(o, "a size such as 65536, 256K or 1GiB", value, e);
	if (!utc_parse_duration(value, &seconds))
		return bad_value(o, "a duration such as 90s, 15m, 4h or 30d", value, e);
	field->value = (uint64_t)seconds;
	return 0;
}

static int set(struct parser *p, const struct opt *o, const char *value, struct err *e)
{
	void *field = p->fields + o->offset;
	size_t i = (size_t)(o - p->options);

	if (o->kind != OPT_STRINGS && o->kind != OPT_COUNT && o->kind != OPT_FLAG && p->seen[i])
		return err_set(e, ERR_USAGE, "--%s is given twice", o->name);
	p->seen[i] = true;
	if (takes_value(o) && *value == '\0')
		return err_set(e, ERR_USAGE, "--%s needs a value that is not empty", o->name);
	switch (o->kind) {
	case OPT_SECTION: break;
	case OPT_FLAG: *(bool *)field = true; break;
	case OPT_COUNT: ++*(unsigned *)field; break;
	case OPT_STRING: *(const char **)field = value; break;
	case OPT_STRINGS: return append(field, value, e);
	case OPT_CHOICE: return set_choice(o, field, value, e);
	case OPT_NUMBER:
	case OPT_SIZE:
	case OPT_DURATION: return set_number(o, field, value, e);
	}
	return 0;
}

static int parse_long(struct parser *p, const char *word, struct err *e)
{
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	char name[64];

	if (len >= sizeof name)
		return err_set(e, ERR_USAGE, "unknown option '--%s'", word);
	memcpy(name, word, len);
	name[len] = '\0';
	const struct opt *o = p->options;
	while (!is_end(o) && (o->name == NULL || strcmp(o->name, name) != 0))
		o++;
	if (is_end(o))
		return unknown_option(p, name, e);
	if (!takes_value(o) && equals != NULL)
		return err_set(e, ERR_USAGE, "--%s takes no value", name);
	if (!takes_value(o))
		return set(p, o, NULL, e);
	if (equals != NULL)
		return set(p, o, equals + 1, e);
	if (p->at == p->argc)
		return err_set(e, ERR_USAGE, "--%s needs a value", name);
	return set(p, o, p->argv[p->at++], e);
}

static int parse_letters(struct parser *p, const char *letters, struct err *e)
{
	for (; *letters != '\0'; letters++) {
		const struct opt *o = p->options;
		while (!is_end(o) && (o->letter == 0 || o->letter != *letters))
			o++;
		if (is_end(o))
			return err_set(e, ERR_USAGE, "unknown option '-%c'", *letters);
		if (!takes_value(o)) {
			if (set(p, o, NULL, e) != 0)
				return -1;
			continue;
		}
		if (letters[1] != '\0')
			return set(p, o, letters + 1, e);
		if (p->at == p->argc)
			return err_set(e, ERR_USAGE, "-%c (--%s) needs a value", *letters, o->name);
		return set(p, o, p->argv[p->at++], e);
	}
	return 0;
}

int opt_parse(const struct opt *options, int argc, char *const *argv, void *ret,
	      struct opt_list *ret_operands, struct err *e)
{
	struct parser p = {.options = options,
			   .argv = argv,
			   .argc = argc,
			   .at = 1,
			   .fields = ret,
			   .operands = ret_operands};
	bool only_operands = false;

	while (p.at < argc) {
		const char *word = argv[p.at++];
		int status;
		if (only_operands || word[0] != '-' || word[1] == '\0')
			status = append(ret_operands, word, e);
		else if (strcmp(word, "--") == 0)
			status = (only_operands = true, 0);
		else if (word[1] == '-')
			status = parse_long(&p, word + 2, e);
		else
			status = parse_letters(&p, word + 1, e);
		if (status != 0)
			return -1;
	}
	return 0;
}

int opt_check_operands(const struct opt_program *program, const struct opt_list *operands,
		       struct err *e)
{
	if (operands->count < program->operands_min)
		return err_set(e, ERR_USAGE, "missing operand: %s", program->operands);
	if (operands->count > program->operands_max)
		return err_set(e, ERR_USAGE, "one operand too many: '%s'",
			       operands->items[program->operands_max]);
	return 0;
}

bool opt_given(const struct opt *option, const void *values)
{
	const void *field = (const char *)values + option->offset;

	switch (option->kind) {
	case OPT_SECTION: return false;
	case OPT_FLAG: return *(const bool *)field;
	case OPT_COUNT: return *(const unsigned *)field > 0;
	case OPT_STRING:
	case OPT_CHOICE: return *(const char *const *)field != NULL;
	case OPT_STRINGS: return ((const struct opt_list *)field)->count > 0;
	case OPT_NUMBER:
	case OPT_DURATION:
	case OPT_SIZE: return ((const struct opt_number *)field)->given;
	}
	return false;
}

size_t opt_dashes(const struct opt_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		n += strcmp(list->items[i], "-") == 0;
	return n;
}

void opt_release(const struct opt *options, void *ret, struct opt_list *operands)
{
	for (const struct opt *o = options; !is_end(o); o++) {
		if (o->kind != OPT_STRINGS)
			continue;
		struct opt_list *list = (struct opt_list *)(void *)((char *)ret + o->offset);
		free(list->items);
		*list = (struct opt_list){.items = NULL};
	}
	free(operands->items);
	*operands = (struct opt_list){.items = NULL};
}

/* Prints text whose further lines are indented to `column`. */
static void print_indented(FILE *to, const char *text, int column)
{
	for (;;) {
		size_t n = strcspn(text, "\n");
		fprintf(to, "%.*s\n", (int)n, text);
		if (text[n] == '\0')
			return;
		text += n + 1;
		fprintf(to, "%*s", column, "");
	}
}

static void help_option(FILE *to, const struct opt *o)
{
	struct buf left = BUF_INIT;

	if (o->letter != 0)
		buf_addf(&left, "  -%c, --%s", o->letter, o->name);
	else
		buf_addf(&left, "      --%s", o->name);
	if (o->argument != NULL)
		buf_addf(&left, " %s", o->argument);
	if (left.len + 2 > HELP_COLUMN)
		fprintf(to, "%s\n%*s", left.data, HELP_COLUMN, "");
	else
		fprintf(to, "%-*s", HELP_COLUMN, left.data);
	print_indented(to, o->help, HELP_COLUMN);
	buf_release(&left);
}

static void help_options(FILE *to, const struct opt *options)
{
	for (const struct opt *o = options; !is_end(o); o++) {
		if (o->kind == OPT_SECTION)
			fprintf(to, "\n%s:\n", o->help);
		else
			help_option(to, o);
	}
}

void opt_help(FILE *to, const struct opt_program *program, const struct opt *common)
{
	const char *form = program->usage;

	for (bool first = true;; first = false) {
		size_t n = strcspn(form, "\n");
		fprintf(to, "%s %s %.*s\n", first ? "Usage:" : "      ", program->name, (int)n,
			form);
		if (form[n] == '\0')
			break;
		form += n + 1;
	}
	fprintf(to, "%s\n", program->purpose);
	help_options(to, program->options);
	help_options(to, common);
	fprintf(to,
		"\nExit status: 0 done or verified; 1 the answer is no; 2 it could not be done.\n"
		"Manual: man %s\n",
		program->name);
}
