/* mime: media types of assets, from the extension of a name. */
#ifndef SWARM_MIME_H
#define SWARM_MIME_H

#include <stdbool.h>
#include <stddef.h>

/* The type without parameters ("image/png"), whatever the case of the extension; NULL: unknown. */
const char *mime_of(const char *path);

/*
 * Why content that starts with `first` cannot be of the type (of which parameters are ignored), or
 * NULL. Only the classic is looked for: the error page of a web server or an object store, saved
 * under the name of the asset that was not there. Completes "'x': ".
 */
const char *mime_mismatch(const char *type, const void *first, size_t len);

#endif
