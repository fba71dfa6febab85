#include "swarm/pledge.h"

#include <stdio.h>
#include <string.h>

#include "swarm/jsonl.h"
#include "swarm/statement.h"

#define SUBJECT_MAX (HEADER_PRODUCT_MAX + 2 * HEADER_VERSION_MAX + sizeof "--.delta")

static void subject_name(char ret[static SUBJECT_MAX], const struct pledge *pledge)
{
	(void)snprintf(ret, SUBJECT_MAX, "%s-%s-%s.delta", pledge->product, pledge->from.version,
		       pledge->to.version);
}

void pledge_format(struct buf *to, const struct pledge *pledge)
{
	struct jsonl_writer w = {.to = to};
	char name[SUBJECT_MAX];

	subject_name(name, pledge);
	statement_open(&w, name, pledge->digest, PLEDGE_PREDICATE);
	jsonl_string(&w, "product", pledge->product);
	jsonl_string(&w, "channel", pledge->channel);
	delta_format_ends(&w, &pledge->from, &pledge->to);
	jsonl_open(&w, "delta");
	jsonl_number(&w, "bytes", pledge->bytes);
	jsonl_close(&w);
	jsonl_close(&w);
	jsonl_close(&w);
}

static void read_predicate(struct jsonl_object *o, struct pledge *ret)
{
	static const char no_name[] = "is not a product or channel";

	header_get_name(o, "product", no_name, ret->product);
	header_get_name(o, "channel", no_name, ret->channel);
	delta_get_ends(o, &ret->from, &ret->to);
	ret->bytes = jsonl_get_positive(jsonl_get_object(o, "delta"), "bytes");
}

int pledge_parse(const char *text, size_t len, struct pledge *ret, struct err *e)
{
	int status = -1;
	char name[SUBJECT_MAX];
	struct buf again = BUF_INIT;
	struct jsonl_object *o = jsonl_parse(text, len, e);

	*ret = (struct pledge){.bytes = 0};
	if (o == NULL)
		goto out;
	read_predicate(statement_get_predicate(o, PLEDGE_PREDICATE), ret);
	subject_name(name, ret);
	statement_get_subject(o, name, ret->digest);
	if (jsonl_done(o, e) != 0)
		goto out;
	pledge_format(&again, ret);
	status = jsonl_check_spelling(&again, text, len, e);
out:
	jsonl_free(o);
	buf_release(&again);
	return status;
}

void pledge_of(const struct delta_header *header, const uint8_t digest[static SHA256_SIZE],
	       uint64_t bytes, struct pledge *ret)
{
	*ret = (struct pledge){.from = header->from, .to = header->to, .bytes = bytes};
	memcpy(ret->product, header->product, sizeof ret->product);
	memcpy(ret->channel, header->channel, sizeof ret->channel);
	memcpy(ret->digest, digest, SHA256_SIZE);
}
