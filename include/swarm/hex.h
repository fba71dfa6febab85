/* hex: lower-case hexadecimal. */
#ifndef SWARM_HEX_H
#define SWARM_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len digits and a NUL to `to`. */
void hex_format(char *to, const uint8_t *bytes, size_t len);
/* Reads exactly `len` bytes from `text_len` digits; false for any other length, or for A-F. */
bool hex_parse(uint8_t *to, size_t len, const char *text, size_t text_len);

#endif
