/* A folder of a test's own, and a file in it that is written and read back. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "swarm/io.h"
#include "swarm/outfile.h"
#include "swarm/scratch.h"

static char folder[] = "/tmp/swarm-test-XXXXXX";
static char path[sizeof folder + 32]; /* of the file */
static struct scratch *scratch;

/* 0 if it is there; the file is not. */
static inline int make_folder(const char *file)
{
	struct err e;

	scratch = scratch_new(&e);
	if (scratch == NULL || mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/%s", folder, file);
	return 0;
}

/* 0 if nothing was left in it. */
static inline int remove_folder(void)
{
	scratch_free(scratch);
	return rmdir(folder);
}

/* In place of what is there. */
static inline struct outfile *open_output(void)
{
	const struct outfile_options how = {.force = true};
	struct err e;
	struct outfile *out = outfile_open(path, &how, scratch, &e);

	assert_non_null(out);
	return out;
}

/* Completes it, appends what was written to `ret`, and takes the file away. */
static inline void read_output(struct outfile *out, struct buf *ret)
{
	struct err e;

	assert_int_equal(outfile_commit(out, &e), 0);
	outfile_free(out);
	int fd = io_open(path, &e);
	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, ret, 1 << 20, path, &e), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
}
