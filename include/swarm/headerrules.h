/*
 * headerrules: the `cache` and `type` of a release's files as a `_headers` file of Netlify or
 * Cloudflare: as few rules by folder and by file as give each file just what it is to have.
 *
 * Where several rules match, these servers join, override or depend on the order, each in its own
 * way. So on Netlify no URL of a file is matched by two rules; and since a rule for
 * all that is in /a also matches /ab there, whatever the case, a folder has a rule only if nothing
 * else begins with its name. On Cloudflare, a rule may take back what one of a folder around it has
 * said. Neither says anything of a folder in which a file is to be left alone, nor of all of "/".
 *
 * A page has a second URL without its ".html" or "index.html", which is told the same.
 *
 * About 150 bytes are kept for each file.
 */
#ifndef SWARM_HEADERRULES_H
#define SWARM_HEADERRULES_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/headertree.h"
#include "swarm/outfile.h"

/* Of Cloudflare. */
#define HEADERRULES_MAX      100
#define HEADERRULES_LINE_MAX 2000

struct headerrules;

/* `url_prefix` as in urls.h; NULL: "/". ERR_USAGE if it holds what rules give a meaning. */
struct headerrules *headerrules_new(enum headertree_host host, const char *url_prefix,
				    struct err *e);
void headerrules_free(struct headerrules *h);
/* Takes the next file in file-tree order, of which nothing is kept by reference. */
ERR_CHECK int headerrules_add(struct headerrules *h, const struct entry *entry, struct err *e);
/*
 * Writes them, and says how many there are. ERR_REFUSED for what the host cannot express: more
 * rules or longer lines than it takes, files that it cannot tell apart.
 */
ERR_CHECK int headerrules_write(struct headerrules *h, const struct head *head, struct outfile *out,
				uint64_t *ret_rules, struct err *e);

#endif
