#include "swarm/tally.h"

#include "swarm/text.h"

void tally_add(struct tally *t, const struct delta_line *line)
{
	struct tally_part *part = &t->parts[line->source];

	if (line->remove) {
		t->removes++;
		return;
	}
	t->files++;
	t->solid += line->solid;
	if (line->file.size == 0) {
		t->empty++;
		return;
	}
	part->files++;
	part->bytes +=
	    line->source == DELTA_BARE || line->source == DELTA_COPY ? line->file.size : line->size;
}

/* --- for people ---------------------------------------------------------------------------------
 */

static void describe_part(struct buf *to, const struct tally_part *part, const char *how)
{
	if (part->files == 0)
		return;
	text_plural(to, part->files, "file");
	buf_adds(to, how);
	text_bytes(to, part->bytes);
	buf_addc(to, '\n');
}

void tally_describe(struct buf *to, const struct tally *t, const struct delta_header *header)
{
	text_plural(to, t->files, "file");
	buf_adds(to, " new or changed, ");
	text_count(to, t->removes);
	buf_adds(to, " removed\n");
	describe_part(to, &t->parts[DELTA_COPY], " copied from the old release, ");
	describe_part(to, &t->parts[DELTA_DCZ], " patched, by payloads of ");
	describe_part(to, &t->parts[DELTA_ZSTD], " compressed, in payloads of ");
	describe_part(to, &t->parts[DELTA_BARE], " fetched whole, ");
	if (t->empty > 0) {
		text_plural(to, t->empty, "file");
		buf_adds(to, " empty\n");
	}
	if (header->has_solid) {
		text_plural(to, t->solid, "file");
		buf_adds(to, " in the solid payload of ");
		text_bytes(to, header->solid.size);
		buf_addc(to, '\n');
	}
}

/* --- for programs -------------------------------------------------------------------------------
 */

static void put_part(struct jsonl_writer *w, const char *key, uint64_t files, uint64_t bytes)
{
	jsonl_open(w, key);
	jsonl_number(w, "files", files);
	jsonl_number(w, "bytes", bytes);
	jsonl_close(w);
}

void tally_format(struct jsonl_writer *w, const struct tally *t, const struct delta_header *header)
{
	jsonl_number(w, "files", t->files);
	jsonl_number(w, "removes", t->removes);
	jsonl_open(w, "content");
	jsonl_number(w, "empty", t->empty);
	for (int source = 0; source < DELTA_SOURCES; source++)
		put_part(w, delta_source_name((enum delta_source)source), t->parts[source].files,
			 t->parts[source].bytes);
	if (header->has_solid)
		put_part(w, "solid", t->solid, header->solid.size);
	jsonl_close(w);
}
