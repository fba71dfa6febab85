#include "swarm/errand.h"

#include <string.h>
#include <sys/stat.h>

#include "swarm/dcz.h"
#include "swarm/gate.h"
#include "swarm/outfile.h"

size_t errand_from_max(const struct errand_words *words)
{
	return words->from.count > 0 ? words->from.count : 1;
}

/* --- inputs -------------------------------------------------------------------------------------
 */

static int check_operands(const struct errand_words *w, struct err *e)
{
	bool several = w->from.count > 0;

	if (several && w->operands.count > 1)
		return err_set(e, ERR_USAGE,
			       "one operand too many: '%s' (--from names the older releases)",
			       w->operands.items[0]);
	if (w->operands.count < (several ? 1 : 2))
		return err_set(e, ERR_USAGE, "missing operand: %s",
			       w->operands.count == 1 ? "NEW.manifest"
			       : several              ? "NEW.manifest"
						      : "OLD.manifest and NEW.manifest");
	return 0;
}

static int check_trees(const struct errand_words *w, struct err *e)
{
	size_t trees = w->old_trees.count;

	if (w->from.count > 0 && trees > 0 && trees != w->from.count)
		return err_set(e, ERR_USAGE,
			       "--from is given %zu times and --old-tree %zu times: each older "
			       "release needs its own tree",
			       w->from.count, trees);
	if (w->from.count == 0 && trees > 1)
		return err_set(e, ERR_USAGE, "--old-tree is given twice");
	if ((trees > 0) != (w->new_tree != NULL))
		return err_set(e, ERR_USAGE, "--old-tree and --new-tree go together: give %s too",
			       trees > 0 ? "--new-tree" : "--old-tree");
	if (trees == 0 && (w->payloads != NULL || w->solid != NULL))
		return err_set(e, ERR_USAGE, "%s needs the files: give --old-tree and --new-tree",
			       w->payloads != NULL ? "--payloads" : "--solid");
	if (trees > 0 && w->payloads == NULL && w->solid == NULL && !w->summary)
		return err_set(e, ERR_USAGE,
			       "--old-tree and --new-tree are read for --payloads, --solid or "
			       "--summary: give one of them");
	if (trees == 0 && (w->has_strip || w->memory.given))
		return err_set(e, ERR_USAGE, "%s needs --old-tree and --new-tree",
			       w->has_strip ? "--strip-components" : "--memory");
	return 0;
}

/* 1 for a dash, so that they can be counted. */
static size_t count_stdin(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

static int check_stdin(const struct diff_options *o, struct err *e)
{
	size_t count = count_stdin(o->to.manifest) + count_stdin(o->to.tree);

	for (size_t i = 0; i < o->from_count; i++)
		count += count_stdin(o->from[i].manifest) + count_stdin(o->from[i].tree);
	if (count > 1)
		return err_set(e, ERR_USAGE, "only one manifest or tree can be standard input");
	return 0;
}

/* --- outputs ------------------------------------------------------------------------------------
 */

static bool is_folder(const char *path)
{
	size_t len = strlen(path);
	struct stat st;

	return path[len - 1] == '/' || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* Where several deltas go. One that is not there yet is known by its slash. */
static int check_out_folder(const char *out, struct err *e)
{
	struct stat st;

	if (strcmp(out, "-") == 0)
		return err_set(e, ERR_USAGE,
			       "--from makes a delta for each older release: give a folder to put "
			       "them in, -o DIR/");
	if (is_folder(out))
		return 0;
	if (stat(out, &st) == 0)
		return err_set(e, ERR_USAGE,
			       "'%s' is not a folder: --from makes a delta for each older release",
			       out);
	return err_set(e, ERR_USAGE,
		       "there is no folder '%s' for the deltas of --from: one that is to be made "
		       "ends in a slash, as in -o %s/",
		       out, out);
}

static int check_folder(const struct diff_options *o, struct err *e)
{
	const char *folder = o->payloads;

	if (folder == NULL)
		return 0;
	if (strcmp(folder, "-") == 0)
		return err_set(e, ERR_USAGE, "--payloads needs a folder");
	if ((!o->out_is_folder && outfile_is_same(o->out, folder)) ||
	    (o->solid != NULL && outfile_is_same(o->solid, folder)))
		return err_set(e, ERR_USAGE,
			       "'%s' is the folder of the payloads: it cannot be another output",
			       folder);
	return 0;
}

static int check_outputs(const struct errand_words *w, const struct diff_options *o, struct err *e)
{
	if (o->out_is_folder && check_out_folder(o->out, e) != 0)
		return -1;
	if (w->solid != NULL && o->from_count > 1)
		return err_set(e, ERR_USAGE, "--solid goes with one older release only");
	if (w->solid != NULL && outfile_is_same(o->out, w->solid))
		return err_set(e, ERR_USAGE,
			       "the delta and the solid payload cannot both go to '%s'", w->solid);
	if (check_folder(o, e) != 0)
		return -1;
	if (w->json && (strcmp(o->out, "-") == 0 || count_stdin(w->solid) > 0))
		return err_set(e, ERR_USAGE, "--json needs -o: %s goes to standard output",
			       strcmp(o->out, "-") == 0 ? "a document" : "the solid payload");
	return 0;
}

/* Not even with --force. "-" is both standard input and output, which are not the same. */
static int check_input(const struct diff_options *o, const char *input, struct err *e)
{
	const char *const outputs[] = {o->out, o->solid, o->payloads};

	if (input == NULL || strcmp(input, "-") == 0)
		return 0;
	for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
		if (outputs[i] == NULL)
			continue;
		if (outfile_is_same(outputs[i], input))
			return err_set(e, ERR_USAGE, "'%s' is read: it cannot be an output", input);
		/* It would take the place of a released file, or be released with the tree. */
		if (outfile_is_within(outputs[i], input))
			return err_set(e, ERR_USAGE,
				       "'%s' is in '%s', which is read: it cannot be an output",
				       outputs[i], input);
	}
	return 0;
}

static int check_inputs(const struct diff_options *o, struct err *e)
{
	if (check_input(o, o->to.manifest, e) != 0 || check_input(o, o->to.tree, e) != 0)
		return -1;
	for (size_t i = 0; i < o->from_count; i++)
		if (check_input(o, o->from[i].manifest, e) != 0 ||
		    check_input(o, o->from[i].tree, e) != 0)
			return -1;
	return 0;
}

/* ------------------------------------------------------------------------------------------------
 */

static int read_numbers(const struct errand_words *w, struct diff_options *ret, struct err *e)
{
	ret->level = DCZ_LEVEL_DEFAULT;
	ret->memory = w->memory.given ? w->memory.value : GATE_MEMORY_DEFAULT;
	if (!w->level.given)
		return 0;
	if (w->payloads == NULL)
		return err_set(e, ERR_USAGE, "--level is of --payloads");
	if (w->level.value < 1 || w->level.value > DCZ_LEVEL_MAX)
		return err_set(e, ERR_USAGE, "--level needs a number from 1 to %d", DCZ_LEVEL_MAX);
	ret->level = (int)w->level.value;
	return 0;
}

int errand_read(const struct errand_words *words, struct diff_options *ret,
		struct diff_from *ret_from, struct err *e)
{
	const struct errand_words *w = words;

	if (check_operands(w, e) != 0 || check_trees(w, e) != 0 || read_numbers(w, ret, e) != 0)
		return -1;
	ret->from = ret_from;
	ret->from_count = errand_from_max(w);
	for (size_t i = 0; i < ret->from_count; i++) {
		ret_from[i].manifest = w->from.count > 0 ? w->from.items[i] : w->operands.items[0];
		ret_from[i].tree = w->old_trees.count > 0 ? w->old_trees.items[i] : NULL;
	}
	ret->to.manifest = w->operands.items[w->operands.count - 1];
	ret->to.tree = w->new_tree;
	ret->out = w->output != NULL ? w->output : "-";
	ret->out_is_folder = w->from.count > 0;
	ret->payloads = w->payloads;
	ret->solid = w->solid;
	ret->count = w->summary || w->json;
	ret->explain = w->summary;
	if (check_stdin(ret, e) != 0 || check_outputs(w, ret, e) != 0)
		return -1;
	return check_inputs(ret, e);
}
