/*
 * Runs a fuzz target over files: its seeds and what once broke it. Exit status 2: a file could not
 * be read. With V set, names each file before it is run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From a block of just its size, so that a read behind it is seen. */
static int replay(const char *path, struct err *e)
{
	struct buf b = BUF_INIT;
	int fd = io_open(path, e);
	int status = fd < 0 ? -1 : io_read_all(fd, &b, SIZE_MAX, path, e);
	uint8_t *exact = status == 0 ? malloc(b.len + (b.len == 0)) : NULL;

	if (status == 0 && exact == NULL)
		status = err_nomem(e);
	if (status == 0) {
		memcpy(exact, b.data, b.len);
		(void)LLVMFuzzerTestOneInput(exact, b.len);
	}
	free(exact);
	buf_release(&b);
	if (fd >= 0)
		(void)close(fd);
	return status;
}

int main(int argc, char **argv)
{
	const char *verbose = getenv("V");
	struct err e;

	for (int i = 1; i < argc; i++) {
		if (verbose != NULL && *verbose != '\0') {
			(void)puts(argv[i]);
			(void)fflush(stdout);
		}
		if (replay(argv[i], &e) != 0) {
			fprintf(stderr, "%s\n", e.msg);
			return 2;
		}
	}
	return 0;
}
