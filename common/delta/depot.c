#include "swarm/depot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/io.h"
#include "swarm/outfile.h"
#include "swarm/payload.h"

int depot_make(const struct depot *d, struct err *e)
{
	struct stat st;

	if (mkdir(d->folder, 0777) == 0)
		return 0;
	if (errno == EEXIST && stat(d->folder, &st) == 0)
		return S_ISDIR(st.st_mode)
			   ? 0
			   : err_set(e, ERR_USAGE, "'%s' is not a directory", d->folder);
	return err_sys(e, "cannot make the directory '%s'", d->folder);
}

static void add_path(struct buf *to, const struct depot *d, const struct depot_content *content,
		     const uint8_t *base_sha256)
{
	buf_addf(to, "%s/", d->folder);
	payload_name(to, content->sha256, base_sha256);
}

int depot_find(const struct depot *d, const struct depot_content *content,
	       const struct dcz_base *base, struct buf *ret, bool *ret_found, struct err *e)
{
	struct buf path = BUF_INIT;
	struct stat st;
	struct err wrong;
	int fd = -1, status = -1;

	*ret_found = false;
	buf_clear(ret);
	add_path(&path, d, content, base->bytes != NULL ? base->sha256 : NULL);
	if (buf_check(&path, e) != 0)
		goto out;
	status = 0;
	/* What cannot be read is replaced, or that fails and says why. */
	fd = open(path.data, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		goto out;
	size_t most = content->bytes.len + content->bytes.len / 128 + 1024;
	*ret_found =
	    (uint64_t)st.st_size <= most && io_read_all(fd, ret, most, path.data, &wrong) == 0 &&
	    dcz_prove(base, (const uint8_t *)ret->data, ret->len,
		      (const uint8_t *)content->bytes.data, content->bytes.len, &wrong) == 0;
out:
	if (fd >= 0)
		(void)close(fd);
	buf_release(&path);
	return status;
}

int depot_put(const struct depot *d, const struct depot_content *content,
	      const uint8_t *base_sha256, const struct buf *payload, struct err *e)
{
	struct outfile_options how = {.force = true};
	struct outfile *out = NULL;
	struct buf path = BUF_INIT;
	int status = -1;

	add_path(&path, d, content, base_sha256);
	if (buf_check(&path, e) != 0)
		goto out;
	out = outfile_open(path.data, &how, d->scratch, e);
	if (out != NULL && outfile_write(out, payload->data, payload->len, e) == 0)
		status = outfile_commit(out, e);
out:
	outfile_free(out);
	buf_release(&path);
	return status;
}
