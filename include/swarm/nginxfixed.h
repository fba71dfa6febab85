/*
 * nginxfixed: those maps of nginxmaps.h that are the same for every release, as pieces of an nginx
 * configuration: how what stands in the others is put together.
 */
#ifndef SWARM_NGINXFIXED_H
#define SWARM_NGINXFIXED_H

/* Stands before all others: what NGINX_DOLLAR is. */
extern const char nginxfixed_start[];
/* $swarm_uri and $swarm_sha256, from $swarm_entry. */
extern const char nginxfixed_exact[];
/* $swarm_payload and $swarm_encoding, from $swarm_against and $swarm_zstd. */
extern const char nginxfixed_choice[];
/* $swarm_etag, $swarm_last_modified and $swarm_unchanged. */
extern const char nginxfixed_validators[];

#endif
