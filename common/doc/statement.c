#include "swarm/statement.h"

#include <stddef.h>

void statement_open(struct jsonl_writer *w, const char *subject,
		    const uint8_t digest[static SHA256_SIZE], const char *predicate_type)
{
	jsonl_open(w, NULL);
	jsonl_string(w, "_type", STATEMENT_TYPE);
	jsonl_open_array(w, "subject");
	jsonl_open(w, NULL);
	jsonl_string(w, "name", subject);
	jsonl_open(w, "digest");
	jsonl_hex(w, "sha256", digest, SHA256_SIZE);
	jsonl_close(w);
	jsonl_close(w);
	jsonl_close_array(w);
	jsonl_string(w, "predicateType", predicate_type);
	jsonl_open(w, "predicate");
}

struct jsonl_object *statement_get_predicate(struct jsonl_object *o, const char *predicate_type)
{
	jsonl_get_fixed(o, "_type", STATEMENT_TYPE);
	jsonl_get_fixed(o, "predicateType", predicate_type);
	return jsonl_get_object(o, "predicate");
}

void statement_get_subject(struct jsonl_object *o, const char *name,
			   uint8_t ret_digest[static SHA256_SIZE])
{
	if (jsonl_get_array(o, "subject") != 1) {
		jsonl_reject(o, "subject", "does not hold exactly one");
		return;
	}
	struct jsonl_object *subject = jsonl_get_item(o, "subject", 0);
	jsonl_get_fixed(subject, "name", name);
	jsonl_get_hex(jsonl_get_object(subject, "digest"), "sha256", ret_digest, SHA256_SIZE);
}
