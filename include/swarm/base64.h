/*
 * base64: RFC 4648 section 4, padded. Reading accepts the one canonical spelling only: no white
 * space, no URL alphabet, no missing padding, zero bits behind the last byte.
 */
#ifndef SWARM_BASE64_H
#define SWARM_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"

void base64_format(struct buf *to, const uint8_t *bytes, size_t len);
/* The number of bytes that `text` stands for; only an upper bound until it has been parsed. */
size_t base64_size(const char *text, size_t len);
/* Writes base64_size(text, len) bytes to `to`. False if the text is not canonical. */
bool base64_parse(uint8_t *to, const char *text, size_t len);

#endif
