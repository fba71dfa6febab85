#include "swarm/outputs.h"

#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/outfile.h"
#include "swarm/path.h"

/* The folder that `path` is to stand in, by its real name; NULL if there is none yet. */
static char *real_folder(const char *path)
{
	char *folder = outfile_folder(path);
	char *real = folder != NULL ? realpath(folder, NULL) : NULL;

	free(folder);
	return real;
}

/* The part of `path` below `folder`, both real names: "" for the folder itself; NULL if outside. */
static const char *part_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len > 0 && folder[len - 1] == '/')
		len--;
	if (strncmp(path, folder, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path[len] == '/' ? path + len + 1 : path + len;
}

/* Whether the rules keep a file at home that would have this name in the tree. */
static bool stays_private(const struct rules *rules, unsigned strip, const char *folder,
			  const char *path)
{
	struct rules_verdict verdict = {.labelled = false};
	struct buf name = BUF_INIT;
	char *copy = strdup(path);

	if (copy != NULL) {
		buf_addf(&name, "%s%s%s", folder, *folder != '\0' ? "/" : "", basename(copy));
		const char *inside = name.failed ? NULL : path_strip(name.data, strip);
		if (inside != NULL)
			rules_decide(rules, inside, path[strlen(path) - 1] == '/', &verdict);
	}
	free(copy);
	buf_release(&name);
	return verdict.labelled && verdict.label == LABEL_PRIVATE;
}

/* `tree` is a real name, NULL for an archive. */
static int check_place(const char *tree, const struct rules *rules, unsigned strip,
		       const char *path, struct err *e)
{
	if (tree == NULL || path == NULL || strcmp(path, "-") == 0)
		return 0;
	/* Of a link, the place that it leads to counts. */
	char *real = realpath(path, NULL);
	char *folder = real_folder(real != NULL ? real : path);
	const char *inside = folder != NULL ? part_below(folder, tree) : NULL;
	int status = 0;

	if (inside != NULL && !stays_private(rules, strip, inside, path))
		status = err_set(e, ERR_USAGE,
				 "the output '%s' would lie in the tree that is packed: write it "
				 "elsewhere, or label it private",
				 path);
	free(real);
	free(folder);
	return status;
}

/* An output that is also an input, or another output, would be lost. */
static int check_loss(const char *output, const char *other, const char *what, struct err *e)
{
	if (output == NULL || other == NULL || !outfile_is_same(output, other))
		return 0;
	return err_set(e, ERR_USAGE, "the output '%s' is %s as well", output, what);
}

static int check_losses(const struct outputs *o, const struct source *source,
			const struct rules *rules, struct err *e)
{
	const char *all[] = {o->inventory, o->bundle, o->report, o->cache};

	if (check_loss(o->bundle, o->inventory, "the inventory", e) != 0 ||
	    check_loss(o->report, o->inventory, "the inventory", e) != 0 ||
	    check_loss(o->report, o->bundle, "the bundle", e) != 0 ||
	    check_loss(o->cache, o->inventory, "the inventory", e) != 0 ||
	    check_loss(o->cache, o->bundle, "the bundle", e) != 0 ||
	    check_loss(o->cache, o->report, "the report", e) != 0)
		return -1;
	for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
		/* What goes to standard output replaces nothing. */
		const char *output = all[k] != NULL && strcmp(all[k], "-") != 0 ? all[k] : NULL;
		if (check_loss(output, source_name(source), "what is packed", e) != 0)
			return -1;
		for (size_t i = 0; i < rules_file_count(rules); i++)
			if (check_loss(output, rules_file(rules, i), "a file of rules", e) != 0)
				return -1;
		for (size_t i = 0; i < o->input_count; i++)
			if (check_loss(output, o->inputs[i].path, o->inputs[i].what, e) != 0)
				return -1;
	}
	return 0;
}

static bool holds(const char *folder, const char *path)
{
	char *real = path != NULL ? realpath(path, NULL) : NULL;
	bool inside = real != NULL && part_below(real, folder) != NULL;

	free(real);
	return inside;
}

/* Whether an output, which need not exist yet, is to stand there. */
static bool will_hold(const char *folder, const char *path)
{
	char *real = path != NULL && strcmp(path, "-") != 0 ? real_folder(path) : NULL;
	bool inside = real != NULL && part_below(real, folder) != NULL;

	free(real);
	return inside;
}

/* A folder that is replaced takes all with it that stands in it. */
static int check_folder(const struct outputs *o, const struct source *source,
			const struct rules *rules, struct err *e)
{
	char *replaced = realpath(o->bundle, NULL);
	const char *lost = NULL;

	if (replaced == NULL)
		return 0;
	if (will_hold(replaced, o->inventory))
		lost = "the inventory";
	if (will_hold(replaced, o->report))
		lost = "the report";
	if (will_hold(replaced, o->cache))
		lost = "the cache";
	for (size_t i = 0; i < rules_file_count(rules) && lost == NULL; i++)
		if (holds(replaced, rules_file(rules, i)))
			lost = "a file of rules";
	for (size_t i = 0; i < o->input_count && lost == NULL; i++)
		if (holds(replaced, o->inputs[i].path))
			lost = o->inputs[i].what;
	if (holds(replaced, "."))
		lost = "the current directory";
	if (holds(replaced, source_name(source)))
		lost = "what is packed";
	free(replaced);
	return lost == NULL
		   ? 0
		   : err_set(e, ERR_USAGE, "the bundle '%s' would replace %s", o->bundle, lost);
}

int outputs_check(const struct outputs *outputs, const struct source *source,
		  const struct rules *rules, unsigned strip, struct err *e)
{
	const char *bundle = outputs->bundle;
	char *tree = source_is_directory(source) ? realpath(source_name(source), NULL) : NULL;
	int status = -1;

	if (check_losses(outputs, source, rules, e) == 0 &&
	    check_place(tree, rules, strip, outputs->inventory, e) == 0 &&
	    check_place(tree, rules, strip, outputs->bundle, e) == 0 &&
	    check_place(tree, rules, strip, outputs->report, e) == 0 &&
	    check_place(tree, rules, strip, outputs->cache, e) == 0)
		status = 0;
	if (status == 0 && bundle != NULL && bundle[strlen(bundle) - 1] == '/')
		status = check_folder(outputs, source, rules, e);
	free(tree);
	return status;
}
