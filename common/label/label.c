#include "swarm/label.h"

#include <stddef.h>
#include <string.h>

const char *const label_names[] = {"public", "origin", "private", NULL};

const char *label_name(enum label label)
{
	return label_names[label];
}

bool label_parse(const char *name, enum label *ret)
{
	for (size_t i = 0; label_names[i] != NULL; i++) {
		if (strcmp(label_names[i], name) == 0) {
			*ret = (enum label)i;
			return true;
		}
	}
	return false;
}

enum label label_stricter(enum label a, enum label b)
{
	return a > b ? a : b;
}
