#include "swarm/maker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/beneath.h"
#include "swarm/dcz.h"
#include "swarm/io.h"
#include "swarm/num.h"
#include "swarm/proof.h"
#include "swarm/stock.h"
#include "swarm/text.h"

struct maker {
	const struct maker_options *options;
	struct proof *proof;
	char *block;              /* PROOF_BLOCK bytes */
	const struct entry *file; /* the one being written */
	int fd;
};

struct maker *maker_new(const struct maker_options *options, struct err *e)
{
	struct maker *m = calloc(1, sizeof *m);

	if (m == NULL || (m->block = malloc(PROOF_BLOCK)) == NULL) {
		free(m);
		(void)err_nomem(e);
		return NULL;
	}
	m->options = options;
	m->proof = proof_new(e);
	if (m->proof == NULL) {
		maker_free(m);
		return NULL;
	}
	return m;
}

void maker_free(struct maker *m)
{
	if (m == NULL)
		return;
	proof_free(m->proof);
	free(m->block);
	free(m);
}

/* --- writing ------------------------------------------------------------------------------------
 */

int maker_begin(struct maker *m, const struct entry *file, struct err *e)
{
	m->file = file;
	m->fd = staging_create(m->options->staging, file->path, file->exec, e);
	if (m->fd < 0)
		return -1;
	proof_begin(m->proof, file);
	return 0;
}

int maker_put(struct maker *m, const void *bytes, size_t len, struct err *e)
{
	if (proof_update(m->proof, bytes, len, e) != 0 ||
	    io_write(m->fd, bytes, len, m->file->path, e) != 0)
		return -1;
	progress_add(m->options->progress, len);
	return 0;
}

static int close_file(struct maker *m, int status, struct err *e)
{
	if (close(m->fd) != 0 && status == 0)
		status = err_sys(e, "cannot write '%s'", m->file->path);
	if (status != 0)
		staging_drop(m->options->staging, m->file->path);
	return status;
}

int maker_end(struct maker *m, int status, struct err *e)
{
	if (status == 0)
		status = proof_end(m->proof, e);
	return close_file(m, status, e);
}

/* --- from a file that is there ------------------------------------------------------------------
 */

static int copy_bytes(struct maker *m, struct stock_file *in, struct err *e)
{
	uint64_t at = 0;
	ssize_t n;

	do {
		n = stock_file_read(in, at, m->block, PROOF_BLOCK, e);
		if (n < 0 || maker_put(m, m->block, (size_t)n, e) != 0)
			return -1;
		at += (uint64_t)n;
	} while (n == (ssize_t)PROOF_BLOCK);
	return 0;
}

static int prove(struct maker *m, int fd, const struct plan_item *item, struct err *e)
{
	progress_add(m->options->progress, item->file->size);
	return proof_read(m->proof, fd, item->file, m->block, item->file->path, e);
}

static int copy_content(struct maker *m, struct plan_item *item, struct stock_file *in,
			struct err *e)
{
	if (maker_begin(m, item->file, e) != 0)
		return -1;
	/* What has been cloned is read from the clone: nothing can change it any more. */
	if (stock_is_directory(in->stock) && ioctl(m->fd, FICLONE, in->file.fd) == 0) {
		item->made = PLAN_CLONED;
		return close_file(m, prove(m, m->fd, item, e), e);
	}
	item->made = PLAN_WRITTEN;
	return maker_end(m, copy_bytes(m, in, e), e);
}

static bool has_mode(const struct stat *st, const struct entry *file)
{
	return (st->st_mode & 07777) == (file->exec ? 0755 : 0644);
}

/* 1: it cannot be linked. The old file's mode is its own, and is not changed. */
static int link_old(struct maker *m, struct plan_item *item, const struct stock_file *in,
		    struct err *e)
{
	const struct entry *file = item->file;
	struct stat st;

	if (fstat(in->file.fd, &st) != 0 || !has_mode(&st, file) ||
	    !staging_link(m->options->staging, file->path, in->file.fd))
		return 1;
	item->made = PLAN_LINKED;
	int status = prove(m, in->file.fd, item, e);
	if (status != 0)
		staging_drop(m->options->staging, file->path);
	return status;
}

static int copy_open(struct maker *m, struct plan_item *item, struct stock_file *in, bool may_link,
		     struct err *e)
{
	if (in->size != item->file->size)
		return err_set(e, ERR_UNTRUSTED, "it has %llu bytes instead of %llu",
			       (unsigned long long)in->size, (unsigned long long)item->file->size);
	if (may_link && stock_is_directory(in->stock)) {
		int status = link_old(m, item, in, e);
		if (status <= 0)
			return status;
	}
	return copy_content(m, item, in, e);
}

static int copy(struct maker *m, struct plan_item *item, struct err *e)
{
	bool old = item->way == PLAN_COPY;
	const struct stock *stock = old ? m->options->supply->old : m->options->supply->from;
	const char *path = old ? item->base->path : item->file->path;
	struct stock_file in;
	struct err late;

	if (stock_file_open(stock, path, &in, e) != 0)
		return -1;
	int status = copy_open(m, item, &in, old && m->options->link, e);
	/* What was written has been proven, whatever became of the file; a link changes it itself.
	 */
	(void)!stock_file_close(&in, &late);
	if (status != 0 && e->code == ERR_UNTRUSTED)
		(void)err_prefix(e, "'%s' in '%s' is not the file of the %s manifest", path,
				 stock_name(stock), old ? "old" : "new");
	return status;
}

static int make_empty(struct maker *m, struct plan_item *item, struct err *e)
{
	item->made = PLAN_WRITTEN;
	if (maker_begin(m, item->file, e) != 0)
		return -1;
	return maker_end(m, 0, e);
}

/* --- by a payload -------------------------------------------------------------------------------
 */

static int put(void *context, const void *bytes, size_t len, struct err *e)
{
	return maker_put(context, bytes, len, e);
}

static int decode(struct maker *m, struct plan_item *item, const struct dcz_base *base,
		  const struct buf *payload, struct err *e)
{
	if (maker_begin(m, item->file, e) != 0)
		return -1;
	item->made = PLAN_WRITTEN;
	int status = dcz_decode(base, (const uint8_t *)payload->data, payload->len,
				item->file->size, put, m, e);
	return maker_end(m, status, e);
}

static int load_and_decode(struct maker *m, struct plan_item *item, const char *name, struct err *e)
{
	const struct supply *supply = m->options->supply;
	struct buf payload = BUF_INIT, old = BUF_INIT;
	struct dcz_base base = {.bytes = NULL};
	int status = -1;

	if (supply_load_payload(supply, name, item->line, &payload, e) != 0)
		goto out;
	if (item->base != NULL) {
		if (stock_load(supply->old, item->base, &old, base.sha256, e) != 0)
			goto out;
		base.bytes = (const uint8_t *)old.data;
		base.len = old.len;
	}
	status = decode(m, item, &base, &payload, e);
	if (status != 0 && (e->code == ERR_UNTRUSTED || e->code == ERR_MALFORMED))
		(void)err_prefix(e, "'%s' cannot be made of the payload '%s'", item->file->path,
				 name);
out:
	buf_release(&payload);
	buf_release(&old);
	return status;
}

static int refuse_memory(const struct plan_item *item, uint64_t need, struct err *e)
{
	struct buf text = BUF_INIT;

	text_bytes(&text, need);
	(void)err_set(e, ERR_USAGE,
		      "to make '%s' of its payload takes %s of memory, more than --memory allows",
		      item->file->path, text.data);
	buf_release(&text);
	return -1;
}

static int make_by_payload(struct maker *m, struct plan_item *item, struct err *e)
{
	uint64_t base = item->base != NULL ? item->base->size : 0;
	uint64_t need = dcz_decode_memory(base, item->file->size);
	struct buf name = BUF_INIT;
	int status = -1;

	if (!num_add(need, base, &need) || !num_add(need, item->line->size, &need))
		need = UINT64_MAX;
	(void)supply_payload_name(item->file, item->base, &name);
	if (buf_check(&name, e) != 0)
		goto out;
	if (!gate_enter(m->options->memory, need)) {
		(void)refuse_memory(item, need, e);
		goto out;
	}
	status = load_and_decode(m, item, name.data, e);
	gate_leave(m->options->memory, need);
out:
	buf_release(&name);
	return status;
}

/* --- any way ------------------------------------------------------------------------------------
 */

/*
 * No other name of an old file may be left unless that is wanted: who edits one edits both. Nor may
 * a file that somebody else can change.
 */
bool maker_resume(struct maker *m, struct plan_item *item)
{
	const struct entry *file = item->file;
	struct err e;
	struct stat st;
	int fd = beneath_open(staging_new(m->options->staging), file->path, O_RDONLY);

	if (fd < 0)
		return false;
	bool right = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
		     (uint64_t)st.st_size == file->size && (st.st_nlink == 1 || m->options->link) &&
		     has_mode(&st, file) &&
		     proof_read(m->proof, fd, file, m->block, file->path, &e) == 0;
	(void)close(fd);
	if (!right)
		return false;
	progress_add(m->options->progress, file->size);
	item->made = PLAN_RESUMED;
	return true;
}

int maker_make(struct maker *m, struct plan_item *item, struct err *e)
{
	int status = -1;

	switch (item->way) {
	case PLAN_EMPTY: status = make_empty(m, item, e); break;
	case PLAN_COPY:
	case PLAN_WHOLE: status = copy(m, item, e); break;
	case PLAN_PAYLOAD: status = make_by_payload(m, item, e); break;
	case PLAN_STAYS:
	case PLAN_SOLID:
	case PLAN_NOWHERE:
		status =
		    err_set(e, ERR_USAGE, "there is nothing to make '%s' of", item->file->path);
		break;
	}
	if (status != 0)
		item->made = PLAN_NOT_YET;
	return status;
}

int maker_check_old(struct maker *m, const struct entry *entry, struct err *e)
{
	progress_add(m->options->progress, entry->size);
	return proof_stock(m->proof, m->options->supply->old, entry, m->block, e);
}

static int check_open(struct maker *m, int fd, bool made, const struct entry *entry, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "cannot examine '%s'", entry->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNTRUSTED, "it is no file");
	if (made && ((st.st_mode & S_IXUSR) != 0) != entry->exec)
		return err_set(e, ERR_UNTRUSTED, "its mode is another");
	if (made && st.st_uid != geteuid())
		return err_set(e, ERR_UNTRUSTED, "it is somebody else's");
	return proof_read(m->proof, fd, entry, m->block, entry->path, e);
}

int maker_check_staged(struct maker *m, enum staging_part part, const struct entry *entry,
		       struct err *e)
{
	const struct staging *s = m->options->staging;
	bool made = part == STAGING_NEW;
	const char *name = made ? "new" : "old";
	int fd = beneath_open(made ? staging_new(s) : staging_old(s), entry->path, O_RDONLY);

	progress_add(m->options->progress, entry->size);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return err_set(e, ERR_UNTRUSTED, "'%s' is not in '%s/%s'", entry->path,
			       staging_path(s), name);
	if (fd < 0)
		return err_sys(e, "cannot open '%s' in '%s/%s'", entry->path, staging_path(s),
			       name);
	int status = check_open(m, fd, made, entry, e);
	(void)close(fd);
	if (status != 0 && e->code == ERR_UNTRUSTED)
		(void)err_prefix(e, "'%s' in '%s/%s' is not the file of the manifest", entry->path,
				 staging_path(s), name);
	return status;
}
