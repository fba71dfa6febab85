#include "swarm/mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "swarm/path.h"

#define EXTENSION_MAX 15

/*
 * Sorted. Registered types where there is one (RFC 9239 for JavaScript), else what browsers take,
 * else bytes or text. What has two meanings is left out: .ts is TypeScript or MPEG, .tsx React or
 * Tiled, .map a source map or a place to play in.
 */
static const struct {
	const char *extension, *type;
} types[] = {
    {"3mf", "model/3mf"},
    {"aac", "audio/aac"},
    {"apng", "image/apng"},
    {"atlas", "text/plain"},
    {"avif", "image/avif"},
    {"b3dm", "application/octet-stream"},
    {"basis", "application/octet-stream"},
    {"bin", "application/octet-stream"},
    {"bmp", "image/bmp"},
    {"br", "application/octet-stream"},
    {"bz2", "application/x-bzip2"},
    {"cjs", "text/javascript"},
    {"cmpt", "application/octet-stream"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"cube", "text/plain"},
    {"czml", "application/json"},
    {"dae", "model/vnd.collada+xml"},
    {"data", "application/octet-stream"},
    {"dds", "image/vnd.ms-dds"},
    {"drc", "application/octet-stream"},
    {"eot", "application/vnd.ms-fontobject"},
    {"exr", "image/aces"},
    {"fbx", "application/octet-stream"},
    {"flac", "audio/flac"},
    {"fnt", "text/plain"},
    {"frag", "text/plain"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"glsl", "text/plain"},
    {"gltf", "model/gltf+json"},
    {"gpx", "application/gpx+xml"},
    {"gz", "application/gzip"},
    {"hdr", "image/vnd.radiance"},
    {"heic", "image/heic"},
    {"heif", "image/heif"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"i3dm", "application/octet-stream"},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"jxl", "image/jxl"},
    {"kml", "application/vnd.google-earth.kml+xml"},
    {"kmz", "application/vnd.google-earth.kmz"},
    {"ktx", "image/ktx"},
    {"ktx2", "image/ktx2"},
    {"lua", "text/plain"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"md", "text/markdown"},
    {"mid", "audio/midi"},
    {"midi", "audio/midi"},
    {"mjs", "text/javascript"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpd", "application/dash+xml"},
    {"mtl", "model/mtl"},
    {"obj", "model/obj"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pck", "application/octet-stream"},
    {"pdf", "application/pdf"},
    {"ply", "application/octet-stream"},
    {"png", "image/png"},
    {"pnts", "application/octet-stream"},
    {"skel", "application/octet-stream"},
    {"splat", "application/octet-stream"},
    {"srt", "text/plain"},
    {"stl", "model/stl"},
    {"subtree", "application/octet-stream"},
    {"svg", "image/svg+xml"},
    {"swf", "application/vnd.adobe.flash.movie"},
    {"terrain", "application/octet-stream"},
    {"tga", "image/x-tga"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"tmx", "application/xml"},
    {"topojson", "application/json"},
    {"ttc", "font/collection"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain"},
    {"unityweb", "application/octet-stream"},
    {"usdz", "model/vnd.usdz+zip"},
    {"vert", "text/plain"},
    {"vtt", "text/vtt"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"wgsl", "text/wgsl"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xml", "application/xml"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

static int compare(const void *key, const void *member)
{
	return strcmp(key, *(const char *const *)member);
}

const char *mime_of(const char *path)
{
	const char *base = path_base(path);
	const char *dot = strrchr(base, '.');
	char extension[EXTENSION_MAX + 1];
	size_t n = 0;

	if (dot == NULL || dot == base || strlen(dot + 1) > EXTENSION_MAX)
		return NULL;
	for (const char *p = dot + 1; *p != '\0'; p++)
		extension[n++] = *p >= 'A' && *p <= 'Z' ? (char)(*p + ('a' - 'A')) : *p;
	extension[n] = '\0';
	const char *const *found =
	    bsearch(extension, types, sizeof types / sizeof *types, sizeof *types, compare);
	return found != NULL ? found[1] : NULL;
}

/* --- what cannot be --------------------------------------------------------------------------- */

/* How a type gets on with a page of HTML. */
enum allowance {
	MAY_BE_HTML,    /* or nobody knows */
	MAY_BE_MARKUP,  /* or bytes of any kind: only the start of a whole document tells */
	CANNOT_BE_HTML, /* not even a piece of it */
};

struct span {
	const char *at, *end;
};

static bool begins(const struct span *text, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(text->end - text->at) >= n && strncasecmp(text->at, word, n) == 0;
}

static bool skip(struct span *text, const char *word)
{
	bool found = begins(text, word);

	if (found)
		text->at += strlen(word);
	return found;
}

/* Whether there was a start of what ends in `end`, and the end too. */
static bool skip_between(struct span *text, const char *start, const char *end)
{
	struct span rest = *text;

	if (!skip(&rest, start))
		return false;
	for (; rest.at < rest.end; rest.at++) {
		if (skip(&rest, end)) {
			*text = rest;
			return true;
		}
	}
	return false;
}

static void skip_space(struct span *text)
{
	while (text->at < text->end && *text->at != '\0' && strchr(" \t\r\n\f", *text->at) != NULL)
		text->at++;
}

static void skip_comments(struct span *text)
{
	do
		skip_space(text);
	while (skip_between(text, "<!--", "-->"));
}

/* A tag of this name, not one whose name only starts so. */
static bool begins_tag(const struct span *text, const char *tag)
{
	size_t n = strlen(tag);

	return begins(text, tag) && (size_t)(text->end - text->at) > n &&
	       strchr(" \t\r\n\f/>", text->at[n]) != NULL && text->at[n] != '\0';
}

static bool is_document(struct span text)
{
	(void)skip_between(&text, "<?xml", "?>");
	skip_comments(&text);
	return begins_tag(&text, "<!doctype html") || begins_tag(&text, "<html");
}

static bool is_piece(struct span text)
{
	static const char *const tags[] = {"<head", "<body", "<title", "<h1", "<center", NULL};

	skip_comments(&text);
	for (size_t i = 0; tags[i] != NULL; i++)
		if (begins_tag(&text, tags[i]))
			return true;
	return false;
}

/* What Amazon S3, Google and Azure answer, and those who do as they do. */
static bool is_store_error(struct span text)
{
	(void)skip_between(&text, "<?xml", "?>");
	skip_space(&text);
	if (!skip(&text, "<Error>"))
		return false;
	skip_space(&text);
	return begins(&text, "<Code>");
}

static bool is_one_of(const char *const *list, const char *type, size_t len)
{
	for (; *list != NULL; list++)
		if (strlen(*list) == len && strncasecmp(*list, type, len) == 0)
			return true;
	return false;
}

static bool starts_as(const char *type, size_t len, const char *start)
{
	return len >= strlen(start) && strncasecmp(type, start, strlen(start)) == 0;
}

static bool ends_as(const char *type, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncasecmp(type + len - n, end, n) == 0;
}

static enum allowance allowance_of(const char *type, size_t len)
{
	static const char *const open[] = {"application/xhtml+xml", NULL};
	static const char *const markup[] = {"application/octet-stream", NULL};
	static const char *const closed[] = {"text/javascript",
					     "application/javascript",
					     "application/x-javascript",
					     "text/css",
					     "text/wgsl",
					     "text/vtt",
					     "text/csv",
					     "application/json",
					     "application/wasm",
					     "application/gzip",
					     "application/zip",
					     "application/zstd",
					     "application/pdf",
					     "application/vnd.ms-fontobject",
					     "application/vnd.apple.mpegurl",
					     NULL};
	static const char *const families[] = {"image/", "audio/", "video/",
					       "font/",  "model/", NULL};

	if (is_one_of(open, type, len))
		return MAY_BE_HTML;
	if (is_one_of(markup, type, len) || ends_as(type, len, "+xml"))
		return MAY_BE_MARKUP;
	if (is_one_of(closed, type, len) || ends_as(type, len, "+json"))
		return CANNOT_BE_HTML;
	for (size_t i = 0; families[i] != NULL; i++)
		if (starts_as(type, len, families[i]))
			return CANNOT_BE_HTML;
	return MAY_BE_HTML;
}

const char *mime_mismatch(const char *type, const void *first, size_t len)
{
	struct span text = {first, (const char *)first + len};
	enum allowance allowance = MAY_BE_HTML;

	if (len == 0)
		return NULL;
	(void)skip(&text, "\xEF\xBB\xBF");
	skip_space(&text);
	if (text.at == text.end || *text.at != '<')
		return NULL;
	type += strspn(type, " \t");
	allowance = allowance_of(type, strcspn(type, "; \t"));
	if (allowance == MAY_BE_HTML)
		return NULL;
	if (is_document(text) || (allowance == CANNOT_BE_HTML && is_piece(text)))
		return "is an HTML page, not what its name says";
	if (is_store_error(text))
		return "is an error message of a server, not what its name says";
	return NULL;
}
