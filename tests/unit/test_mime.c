#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/mime.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char page[] = "is an HTML page, not what its name says";
static const char store_error[] = "is an error message of a server, not what its name says";

/* --- types ------------------------------------------------------------------------------------ */

static void mime_knows_what_web_games_are_made_of(void **state)
{
	static const struct {
		const char *path, *type;
	} cases[] = {
	    {"index.html", "text/html"},
	    {"a/b/game.js", "text/javascript"},
	    {"game.mjs", "text/javascript"},
	    {"style.css", "text/css"},
	    {"game.wasm", "application/wasm"},
	    {"a.json", "application/json"},
	    {"a.PNG", "image/png"},
	    {"a.JpEg", "image/jpeg"},
	    {"a.jpg", "image/jpeg"},
	    {"a.svg", "image/svg+xml"},
	    {"a.ktx2", "image/ktx2"},
	    {"a.glb", "model/gltf-binary"},
	    {"a.gltf", "model/gltf+json"},
	    {"a.mp3", "audio/mpeg"},
	    {"a.ogg", "audio/ogg"},
	    {"a.mp4", "video/mp4"},
	    {"a.woff2", "font/woff2"},
	    {"a.webmanifest", "application/manifest+json"},
	    {"a.wgsl", "text/wgsl"},
	    {"a.pck", "application/octet-stream"},
	    {"a.tar.gz", "application/gzip"},
	    {"a.b.png", "image/png"},
	    {".a.png", "image/png"},
	    {"3.3mf", "model/3mf"},
	    {"last.zst", "application/zstd"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *type = mime_of(cases[i].path);
		if (type == NULL || strcmp(type, cases[i].type) != 0)
			fail_msg("'%s' is %s", cases[i].path, type != NULL ? type : "unknown");
	}
}

static void mime_does_not_guess(void **state)
{
	static const char *const paths[] = {
	    "",           "png",        "a",      "a.",      ".png",   "a/.png",
	    "a.p",        "a.pn",       "a.pngs", "a.png/b", "a.png~", "a.png ",
	    "a.ts",       "a.map",      "a.tsx",  "a.zzz",   "a.0",    "a.pngpngpngpngpngpng",
	    "a.\xC3\xA9", "a.png.part",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		if (mime_of(paths[i]) != NULL)
			fail_msg("'%s' is %s", paths[i], mime_of(paths[i]));
}

/* The table is searched by halves: an entry out of order could not be found. */
static void mime_finds_all_that_it_lists(void **state)
{
	static const char *const extensions[] = {
	    "3mf",  "aac",     "apng",        "atlas",   "avif", "b3dm", "basis",    "bin",
	    "bmp",  "br",      "bz2",         "cjs",     "cmpt", "css",  "csv",      "cube",
	    "czml", "dae",     "data",        "dds",     "drc",  "eot",  "exr",      "fbx",
	    "flac", "fnt",     "frag",        "geojson", "gif",  "glb",  "glsl",     "gltf",
	    "gpx",  "gz",      "hdr",         "heic",    "heif", "htm",  "html",     "i3dm",
	    "ico",  "jpeg",    "jpg",         "js",      "json", "jxl",  "kml",      "kmz",
	    "ktx",  "ktx2",    "lua",         "m3u8",    "m4a",  "m4v",  "md",       "mid",
	    "midi", "mjs",     "mov",         "mp3",     "mp4",  "mpd",  "mtl",      "obj",
	    "oga",  "ogg",     "ogv",         "opus",    "otf",  "pck",  "pdf",      "ply",
	    "png",  "pnts",    "skel",        "splat",   "srt",  "stl",  "subtree",  "svg",
	    "swf",  "terrain", "tga",         "tif",     "tiff", "tmx",  "topojson", "ttc",
	    "ttf",  "txt",     "unityweb",    "usdz",    "vert", "vtt",  "wasm",     "wav",
	    "weba", "webm",    "webmanifest", "webp",    "wgsl", "woff", "woff2",    "xhtml",
	    "xml",  "yaml",    "yml",         "zip",     "zst",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(extensions); i++) {
		char path[32];
		(void)snprintf(path, sizeof path, "a.%s", extensions[i]);
		const char *type = mime_of(path);
		if (type == NULL || strchr(type, '/') == NULL || strchr(type, ';') != NULL)
			fail_msg("'%s' is %s", path, type != NULL ? type : "unknown");
	}
}

/* --- what cannot be --------------------------------------------------------------------------- */

static void assert_mismatch(const char *type, const char *content, const char *expected)
{
	/* A copy of just this length, for sanitizers to guard. */
	size_t len = strlen(content);
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, content, len);
	const char *why = mime_mismatch(type, copy, len);
	if ((why == NULL) != (expected == NULL) || (why != NULL && strcmp(why, expected) != 0))
		fail_msg("'%s' as %s: %s", content, type, why != NULL ? why : "fits");
	free(copy);
}

static void mime_mismatch_tells_pages_from_assets(void **state)
{
	static const char *const types[] = {
	    "image/png",
	    "audio/mpeg",
	    "video/mp4",
	    "font/woff2",
	    "model/obj",
	    "text/javascript",
	    "text/css",
	    "application/json",
	    "text/vtt",
	    "application/wasm",
	    "model/gltf+json",
	    "IMAGE/PNG",
	    "image/png; charset=utf-8",
	    " image/png",
	    "application/octet-stream",
	    "image/svg+xml",
	};
	static const char *const pages[] = {
	    "<!doctype html><p>",
	    "<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01//EN\">",
	    "<html>",
	    "<HTML lang=en>",
	    "\xEF\xBB\xBF \r\n\t<html\n>",
	    "<!-- a -->\n<!-- b -- > c --> <html>",
	    "<?xml version=\"1.0\"?>\n<!-- a -->\n<html xmlns=\"x\">",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		for (size_t k = 0; k < COUNT(pages); k++)
			assert_mismatch(types[i], pages[k], page);
}

static void mime_mismatch_tells_pieces_of_pages_from_assets(void **state)
{
	static const char *const pieces[] = {"<head>", "<body bgcolor=white>", "<title>404</title>",
					     "<h1>Not Found</h1>", "<CENTER><h1>"};

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		assert_mismatch("image/png", pieces[i], page);
		assert_mismatch("text/javascript", pieces[i], page);
		/* Nobody knows of what other markup has such an element. */
		assert_mismatch("image/svg+xml", pieces[i], NULL);
		assert_mismatch("application/octet-stream", pieces[i], NULL);
	}
}

static void mime_mismatch_tells_errors_of_object_stores(void **state)
{
	static const char *const errors[] = {
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>",
	    "\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code>",
	    "<Error>\n  <Code>NoSuchKey</Code>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		assert_mismatch("image/png", errors[i], store_error);
		assert_mismatch("image/svg+xml", errors[i], store_error);
		assert_mismatch("application/octet-stream", errors[i], store_error);
		assert_mismatch("application/xml", errors[i], NULL);
		assert_mismatch("text/plain", errors[i], NULL);
	}
	assert_mismatch("image/png", "<?xml version=\"1.0\"?><Error><Kode>", NULL);
	assert_mismatch("image/png", "<?xml version=\"1.0\"?><Errors><Code>", NULL);
}

static void mime_mismatch_leaves_alone_what_may_be_html(void **state)
{
	static const char *const types[] = {
	    "text/html",
	    "TEXT/HTML; charset=utf-8",
	    "application/xhtml+xml",
	    "text/plain",
	    "text/markdown",
	    "text/xml",
	    "application/xml",
	    "application/x-unheard-of",
	    "",
	    "/",
	    "text/x-template",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		assert_mismatch(types[i], "<!doctype html><html><head>", NULL);
}

static void mime_mismatch_leaves_alone_what_is_no_page(void **state)
{
	static const struct {
		const char *type, *content;
	} cases[] = {
	    {"image/svg+xml", "<svg xmlns=\"http://www.w3.org/2000/svg\"><title>a</title>"},
	    {"image/svg+xml", "<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"a\"><svg>"},
	    {"image/svg+xml", "<!-- <html> --><svg>"},
	    {"application/gpx+xml", "<?xml version=\"1.0\"?><gpx>"},
	    {"model/vnd.collada+xml", "<?xml version=\"1.0\"?><COLLADA>"},
	    {"text/javascript", "<!-- hide from old browsers\nvar a = '<html>';\n//-->"},
	    {"text/javascript", "// <html>\nvar a;"},
	    {"text/javascript", "\"<!doctype html>\""},
	    {"application/json", "[\"<html>\"]"},
	    {"text/css", "<!-- a { b: c } -->"},
	    {"image/png", "\x89PNG\r\n\x1A\n<html>"},
	    {"image/png", ""},
	    {"image/png", " \n"},
	    {"image/png", "\xEF\xBB\xBF"},
	    {"image/png", "<"},
	    {"image/png", "<!doctype htm"},
	    {"image/png", "<htmlx>"},
	    {"image/png", "<header>"},
	    {"image/png", "<html"},
	    {"image/png", "<!-- never ended <html>"},
	    {"image/png", "<?xml never ended <html>"},
	    {"model/obj", "<!doctype htmlish>"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_mismatch(cases[i].type, cases[i].content, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mime_knows_what_web_games_are_made_of),
	    cmocka_unit_test(mime_does_not_guess),
	    cmocka_unit_test(mime_finds_all_that_it_lists),
	    cmocka_unit_test(mime_mismatch_tells_pages_from_assets),
	    cmocka_unit_test(mime_mismatch_tells_pieces_of_pages_from_assets),
	    cmocka_unit_test(mime_mismatch_tells_errors_of_object_stores),
	    cmocka_unit_test(mime_mismatch_leaves_alone_what_may_be_html),
	    cmocka_unit_test(mime_mismatch_leaves_alone_what_is_no_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
