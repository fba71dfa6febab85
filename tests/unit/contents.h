/* What is hashed by lanes, the lanes, and pads for all of a test. */
#include "swarm/lanes.h"
#include "swarm/merkle.h"

#include "trees.h"

#define CONTENT (4 * MIB)

static uint8_t *content;
static struct lanes *lanes;
static struct merkle_pads pads;

static inline int make_content_and_lanes(void **state)
{
	struct err e;

	(void)state;
	content = make_content(CONTENT, 1);
	lanes = lanes_new(&e);
	if (content == NULL || lanes == NULL)
		return -1;
	merkle_fill_pads(&pads, lanes);
	return 0;
}

static inline int free_content_and_lanes(void **state)
{
	(void)state;
	lanes_free(lanes);
	free(content);
	return 0;
}
