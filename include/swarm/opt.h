/*
 * opt: command lines, by a table of options.
 *
 * GNU style: options stand before or after operands, `--name=value` and `--name value`, `-ovalue`
 * and `-o value`, `-qf`; `--` ends options, `-` is an operand. Long names may not be abbreviated: a
 * script must not break when an option is added. An option that takes one value may be given once.
 */
#ifndef SWARM_OPT_H
#define SWARM_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "swarm/buf.h"
#include "swarm/err.h"

enum opt_kind {
	OPT_SECTION,  /* a heading in the help: only `help` is set */
	OPT_FLAG,     /* bool */
	OPT_COUNT,    /* unsigned: how often it was given */
	OPT_STRING,   /* const char *, NULL if not given */
	OPT_STRINGS,  /* struct opt_list, repeatable */
	OPT_NUMBER,   /* struct opt_number */
	OPT_CHOICE,   /* const char *, one of `choices` */
	OPT_DURATION, /* struct opt_number, seconds */
	OPT_SIZE,     /* struct opt_number, bytes */
};

/* Values point into argv. */
struct opt_list {
	const char **items;
	size_t count;
};

struct opt_number {
	bool given;
	uint64_t value;
};

struct opt {
	enum opt_kind kind;
	char letter;          /* 0 if none */
	const char *name;     /* long name, without dashes */
	const char *argument; /* how the help calls the value */
	const char *help;     /* lines are broken where it has \n */
	size_t offset;        /* of the field in the caller's struct */
	const char *const *choices;
};

struct opt_program {
	const char *name;
	const char *usage;         /* operands and options of the usage line; several forms by \n */
	const char *purpose;       /* one sentence */
	const struct opt *options; /* up to one with kind OPT_SECTION and no help */
	const char *operands;      /* what is missing: "TREE" */
	size_t operands_min, operands_max;
	/* Appends lines that --version prints behind the version; NULL: none. */
	int (*details)(struct buf *to, struct err *e);
};

#define OPT_END                     \
	{                           \
		.kind = OPT_SECTION \
	}

/*
 * Fills the caller's struct `ret` and `ret_operands` (both released with opt_release()). ERR_USAGE
 * says which word is wrong, with the nearest known option. The number of operands is not checked.
 */
ERR_CHECK int opt_parse(const struct opt *options, int argc, char *const *argv, void *ret,
			struct opt_list *ret_operands, struct err *e);
/* ERR_USAGE where there are too few operands or too many. */
ERR_CHECK int opt_check_operands(const struct opt_program *program, const struct opt_list *operands,
				 struct err *e);
/* Whether an option was given; `values` is what opt_parse() filled. */
bool opt_given(const struct opt *option, const void *values);
/* How many of them are "-", standard input. */
size_t opt_dashes(const struct opt_list *list);
/* Frees the lists, not the strings. */
void opt_release(const struct opt *options, void *ret, struct opt_list *operands);
/* What --help prints. */
void opt_help(FILE *to, const struct opt_program *program, const struct opt *common);

#endif
