#include "swarm/usage.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/text.h"

int usage_init(struct usage *u, const struct rules *rules, struct err *e)
{
	*u = (struct usage){.count = rules_count(rules)};
	u->rules = calloc(u->count + 1, sizeof *u->rules);
	if (u->rules == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < u->count; i++)
		u->rules[i].rule = rules_get(rules, i);
	return 0;
}

void usage_release(struct usage *u)
{
	free(u->rules);
	*u = (struct usage){.count = 0};
}

void usage_note(struct usage *u, const struct rules *rules, const char *path,
		const struct rules_verdict *verdict)
{
	if (verdict->rule == NULL)
		return;
	struct usage_rule *decided = &u->rules[verdict->rule->index];
	decided->decided++;
	decided->matched = true;
	/* Each rule is asked until it has matched once: only dead ones go on to cost time. */
	for (size_t i = 0; i < verdict->rule->index; i++) {
		struct rules_verdict other;
		if (u->rules[i].matched || !rules_match(rules, i, path, false, &other))
			continue;
		u->rules[i].matched = true;
		u->rules[i].overruled_by = verdict->rule;
		u->rules[i].example = path;
	}
}

void usage_describe_dead(struct buf *to, const struct usage *u)
{
	for (size_t i = 0; i < u->count; i++) {
		const struct usage_rule *r = &u->rules[i];
		if (r->decided > 0)
			continue;
		rules_describe_place(to, r->rule);
		if (!r->matched) {
			buf_adds(to, ": this rule matches nothing in the tree\n");
			continue;
		}
		buf_adds(to, ": this rule labels nothing: later ones overrule it, such as ");
		rules_describe_place(to, r->overruled_by);
		buf_adds(to, " for '");
		text_printable(to, r->example, strlen(r->example));
		buf_adds(to, "'\n");
	}
}
