#include "swarm/nginxfixed.h"

/* Neither '$' nor case can be had otherwise; all maps are volatile, for a redirect changes $uri. */
const char nginxfixed_start[] = "\ngeo $swarm_dollar {\n\tdefault \"$\";\n}\n";

/* A map does not tell letters of different case apart, so what was looked up is compared. */
const char nginxfixed_exact[] =
    "\nmap \"$uri $swarm_entry\" $swarm_uri {\n"
    "\tvolatile;\n"
    "\t\"~^(?<swarm_exact_uri>.+) \\k<swarm_exact_uri> [0-9a-f]{64}$\" $swarm_exact_uri;\n"
    "}\n"
    "\nmap \"$uri $swarm_entry\" $swarm_sha256 {\n"
    "\tvolatile;\n"
    "\t\"~^(?<swarm_same_uri>.+) \\k<swarm_same_uri> (?<swarm_exact_sha256>[0-9a-f]{64})$\" "
    "$swarm_exact_sha256;\n"
    "}\n";

#define QUALITY "(?:\\s*;\\s*q=(?:0\\.[0-9]*[1-9][0-9]*|1(?:\\.0*)?))?\\s*(?:,|$)"

/* dcz is preferred to zstd, and zstd to the file; nothing is sent that has q=0. */
const char nginxfixed_choice[] =
    "\nmap \"$http_available_dictionary $swarm_against\" $swarm_dcz {\n"
    "\tvolatile;\n"
    "\t\"~^(?<swarm_exact_dictionary>:[^ ]+:) \\k<swarm_exact_dictionary> "
    "(?<swarm_exact_dcz>[0-9a-f.]+dcz)$\" $swarm_exact_dcz;\n"
    "}\n"
    "\nmap $http_accept_encoding $swarm_dcz_taken {\n"
    "\tvolatile;\n"
    "\t\"~*(?:^|,)\\s*dcz" QUALITY "\" $swarm_dcz;\n"
    "}\n"
    "\nmap $http_accept_encoding $swarm_zstd_taken {\n"
    "\tvolatile;\n"
    "\t\"~*(?:^|,)\\s*zstd" QUALITY "\" $swarm_zstd;\n"
    "}\n"
    "\nmap $swarm_dcz_taken $swarm_payload {\n"
    "\tvolatile;\n"
    "\tdefault $swarm_dcz_taken;\n"
    "\t\"\" $swarm_zstd_taken;\n"
    "}\n"
    "\nmap $swarm_payload $swarm_encoding {\n"
    "\tvolatile;\n"
    "\t\"~dcz$\" dcz;\n"
    "\t\"~zst$\" zstd;\n"
    "}\n";

/* All forms of a file share a tag, weak where the bytes are not those of the file. */
const char nginxfixed_validators[] =
    "\nmap \"$swarm_sha256 $swarm_encoding\" $swarm_etag {\n"
    "\tvolatile;\n"
    "\t\" \" $sent_http_etag;\n"
    "\t\"~^(?<swarm_tag>[0-9a-f]{64}) $\" \"\\\"$swarm_tag\\\"\";\n"
    "\t\"~^(?<swarm_weak_tag>[0-9a-f]{64}) [a-z]+$\" \"W/\\\"$swarm_weak_tag\\\"\";\n"
    "}\n"
    "\nmap $swarm_sha256 $swarm_last_modified {\n"
    "\tvolatile;\n"
    "\t\"\" $sent_http_last_modified;\n"
    "}\n"
    "\nmap \"$request_method $swarm_sha256 $http_if_none_match\" $swarm_unchanged {\n"
    "\tvolatile;\n"
    "\t\"~^(?:GET|HEAD) (?<swarm_held>[0-9a-f]{64}) (?:.*,)?\\s*(?:W/)?\\\"\\k<swarm_held>\\\""
    "\\s*(?:,|$)\" 1;\n"
    "\t\"~^(?:GET|HEAD) [0-9a-f]{64} \\s*\\*\\s*$\" 1;\n"
    "}\n";
