/*
 * ledger: every path of a tree with its label and why, for an auditor: the file of --report.
 *
 *   ledger = *path-line totals-line           JSON Lines
 *   path-line   = {"path":P,"label":L,"rule":PLACE,"pattern":S,"size":N,"content":P,
 *                  "content_rule":PLACE,"hot":N,
 *                  "allowed":[{"guard":ID},...],
 *                  "problems":[{"problem":KIND,"reason":S,"other":P,"guard":ID,"line":N,
 *                               "offset":N,"count":N},...]}
 *   totals-line = {"totals":{"public":{"files":N,"bytes":N},"origin":{...},"private":{...}},
 *                  "rules":[{"rule":PLACE,"label":L,"decided":N,"matched":B},...],
 *                  "guards":{"engine":S,"disabled":[{"guard":ID},...],"content":B},"problem_count":N}
 *
 * Keys are left out where there is nothing to say: `rule` is "default" where no rule decided, a
 * path has no `label` where none was decided, `content` is there where a link lends its name to the
 * content of another path (and its label is the stricter of both), `allowed` names guards that the
 * rules excuse the file from. The paths of private files are in it, so it is nothing to publish.
 */
#ifndef SWARM_LEDGER_H
#define SWARM_LEDGER_H

#include <stdbool.h>

#include "swarm/err.h"
#include "swarm/guards.h"
#include "swarm/outfile.h"
#include "swarm/rules.h"
#include "swarm/scan.h"

struct ledger {
	const struct scan *scan; /* that has kept its private files */
	const struct rules *rules;
	const struct guards *guards;
	unsigned strip; /* components that names in the release lack */
	bool content;   /* content was looked at too */
};

ERR_CHECK int ledger_write(const struct ledger *l, struct outfile *to, struct err *e);

#endif
