#include "swarm/request.h"

#include <string.h>
#include <sys/stat.h>

#include "swarm/document.h"
#include "swarm/header.h"
#include "swarm/hybrid.h"
#include "swarm/num.h"
#include "swarm/utc.h"

/* --- what may be said ---------------------------------------------------------------------------
 */

static bool names_release(const struct request_words *w)
{
	return w->product != NULL || w->channel != NULL || w->version != NULL ||
	       w->serial != NULL || w->previous != NULL;
}

static bool has_times(const struct request_words *w)
{
	return w->expires != NULL || w->rollout_start != NULL || w->rollout_window.given;
}

/* Of the tasks that leave a release as it is. */
static int check_again(const struct request_words *w, struct err *e)
{
	if (w->resign && w->add_signature)
		return err_set(e, ERR_USAGE, "--resign and --add-signature exclude each other");
	if (names_release(w))
		return err_set(e, ERR_USAGE,
			       "--%s leaves the release as it is: --product, --channel, --release, "
			       "--serial and --previous are for a new one",
			       w->resign ? "resign" : "add-signature");
	if (w->add_signature && (has_times(w) || w->torrent != NULL))
		return err_set(e, ERR_USAGE,
			       "--add-signature leaves the head as it is: --expires, "
			       "--rollout-* and --torrent are for --resign");
	return 0;
}

static int check_new(const struct request_words *w, struct err *e)
{
	if (w->version == NULL)
		return err_set(e, ERR_USAGE, "what release is it? give --release VERSION");
	if (w->serial == NULL)
		return err_set(e, ERR_USAGE,
			       "give --serial N, or --serial next with --previous (a first release "
			       "has --serial 1)");
	return 0;
}

bool request_is_empty(const struct request_words *words)
{
	return !words->resign && !words->add_signature && !names_release(words) &&
	       !has_times(words) && words->torrent == NULL;
}

int request_check_delta(const struct request_words *words, struct err *e)
{
	if (words->resign)
		return err_set(e, ERR_USAGE, "a delta does not expire: there is nothing to resign");
	if (names_release(words) || has_times(words) || words->torrent != NULL)
		return err_set(e, ERR_USAGE,
			       "a delta says what it is of: --product, --channel, --release, "
			       "--serial, --previous, --expires, --rollout-* and --torrent are "
			       "for a release");
	return 0;
}

int request_check(const struct request_words *words, struct err *e)
{
	return words->resign || words->add_signature ? check_again(words, e) : check_new(words, e);
}

static int check_streams(const struct request_words *w, const char *path, struct err *e)
{
	const char *const inputs[] = {path, w->previous, w->torrent};
	size_t piped = opt_dashes(&w->keys) + opt_dashes(&w->trust);

	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		piped += inputs[i] != NULL && strcmp(inputs[i], "-") == 0;
	if (piped <= 1)
		return 0;
	return err_set(e, ERR_USAGE,
		       "only one of the operand, --key, --trust, --previous and --torrent can be "
		       "standard input");
}

/* False also where it cannot be told. */
static bool is_delta(const char *path)
{
	struct err e;
	struct document *d = document_open(path, &e);
	bool delta = d != NULL && document_kind(d) == DOCUMENT_DELTA;

	document_close(d);
	return delta;
}

static int check_kind(const struct request_words *w, const char *path, struct err *e)
{
	struct stat st;
	bool is_file = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);

	if (request_is_empty(w))
		return 0;
	if (is_file && is_delta(path))
		return request_check_delta(w, e);
	if (request_check(w, e) == 0)
		return 0;
	return is_file || w->resign || w->add_signature
		   ? -1
		   : err_prefix(e, "unless it is a delta, which needs only --key");
}

int request_check_operand(const struct request_words *words, const char *path, struct err *e)
{
	return check_kind(words, path, e) == 0 ? check_streams(words, path, e) : -1;
}

int request_check_names(const struct request_words *words, struct err *e)
{
	if (words->product != NULL && !header_is_name(words->product))
		return err_set(e, ERR_USAGE, "'%s' cannot be a product: 1-32 of A-Z a-z 0-9 . _ -",
			       words->product);
	if (words->channel != NULL && !header_is_name(words->channel))
		return err_set(e, ERR_USAGE, "'%s' cannot be a channel: 1-32 of A-Z a-z 0-9 . _ -",
			       words->channel);
	if (words->version != NULL && !header_is_version(words->version))
		return err_set(e, ERR_USAGE,
			       "'%s' cannot be a version: 1-48 of A-Z a-z 0-9 . + _ -",
			       words->version);
	return 0;
}

/* --- what it means ------------------------------------------------------------------------------
 */

static int read_expiry(const char *text, int64_t issued, int64_t *ret, struct err *e)
{
	int64_t seconds = RELEASE_LIFE;

	if (text != NULL && utc_parse(text, ret)) {
		if (*ret <= issued)
			return err_set(e, ERR_USAGE, "--expires %s is not after the time of issue",
				       text);
		return 0;
	}
	if (text != NULL && (!utc_parse_duration(text, &seconds) || seconds == 0))
		return err_set(e, ERR_USAGE,
			       "--expires needs a duration such as 30d or a time such as "
			       "2026-12-31T00:00:00Z, not '%s'",
			       text);
	if (seconds > UTC_MAX - issued)
		return err_set(e, ERR_USAGE,
			       "it would expire beyond the year 9999: give --expires a time");
	*ret = issued + seconds;
	return 0;
}

static int read_times(const struct request_words *w, struct release_request *ret, struct err *e)
{
	if (utc_epoch(utc_now(), &ret->issued, e) != 0 ||
	    read_expiry(w->expires, ret->issued, &ret->expires, e) != 0)
		return -1;
	ret->has_rollout = w->rollout_start != NULL || w->rollout_window.given;
	ret->rollout_start = ret->issued;
	if (w->rollout_start != NULL && !utc_parse(w->rollout_start, &ret->rollout_start))
		return err_set(
		    e, ERR_USAGE,
		    "--rollout-start needs a time such as 2026-12-31T00:00:00Z, not '%s'",
		    w->rollout_start);
	ret->rollout_window = w->rollout_window.given ? w->rollout_window.value : RELEASE_WINDOW;
	return 0;
}

static int read_serial(const struct request_words *w, uint64_t *ret, struct err *e)
{
	*ret = 0;
	if (w->serial == NULL)
		return 0;
	if (strcmp(w->serial, "next") == 0)
		return w->previous != NULL
			   ? 0
			   : err_set(e, ERR_USAGE, "--serial next needs --previous");
	if (!num_parse(w->serial, ret) || *ret == 0)
		return err_set(e, ERR_USAGE, "--serial needs a number from 1, or next, not '%s'",
			       w->serial);
	return 0;
}

int request_read(const struct request_words *words, struct release_request *ret, struct err *e)
{
	ret->task = words->add_signature ? RELEASE_ADD_SIGNATURE
		    : words->resign      ? RELEASE_RESIGN
					 : RELEASE_MAKE;
	ret->product = words->product;
	ret->channel = words->channel;
	ret->version = words->version;
	if (read_times(words, ret, e) != 0)
		return -1;
	return read_serial(words, &ret->serial, e);
}

int request_open(const struct request_words *words, const struct ring *ring, struct request *ret,
		 struct err *e)
{
	*ret = (struct request){
	    .release = {.keys = ring->keys, .key_count = ring->count, .trust = ring->trust}};
	if (request_check(words, e) != 0 || request_read(words, &ret->release, e) != 0)
		return -1;
	if (words->previous != NULL) {
		if (release_previous(words->previous, ring->trust, &ret->previous, e) != 0)
			return -1;
		ret->release.previous = &ret->previous;
	}
	if (words->torrent != NULL)
		ret->release.hybrid = hybrid_open(words->torrent, e);
	return words->torrent == NULL || ret->release.hybrid != NULL ? 0 : -1;
}

void request_close(struct request *r)
{
	hybrid_close(r->release.hybrid);
	*r = (struct request){.release = {.hybrid = NULL}};
}
