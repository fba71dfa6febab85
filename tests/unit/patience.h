/* valgrind takes fifty times as long, and looks for other mistakes: a sample of cases has to do. */
#include <stddef.h>
#include <stdlib.h>

/* How many of `all` cases there is time for: `sample` of them under valgrind. */
static inline size_t patience(size_t all, size_t sample)
{
	const char *valgrind = getenv("VALGRIND");

	return valgrind != NULL && *valgrind != '\0' && sample < all ? sample : all;
}

/* From case to case: 1, or `sparse` under valgrind. */
static inline size_t patience_step(size_t sparse)
{
	return patience(2, 1) == 2 ? 1 : sparse;
}
