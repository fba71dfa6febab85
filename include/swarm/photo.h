/*
 * photo: whether a picture says where it was taken.
 *
 * Looked for are a latitude or longitude other than zero in the GPS directory of EXIF (CIPA DC-008,
 * tags 2 and 4), in JPEG (APP1), PNG (eXIf, and the older zTXt/tEXt/iTXt "Raw profile type
 * exif/APP1" and "exif:GPSLatitude" that ImageMagick writes), WebP and HEIC/AVIF (an item of type
 * Exif), or in a TIFF or DNG file, which are EXIF themselves; and the same as
 * exif:GPSLatitude/GPSLongitude in their XMP packets. A format is told by its first bytes, not by a
 * name.
 *
 * Of one packet or profile that is compressed or in pieces, the first MiB is looked at; and no more
 * of a picture than a fixed number of steps allows, far beyond what cameras write.
 */
#ifndef SWARM_PHOTO_H
#define SWARM_PHOTO_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/probe.h"

/* Whether a file that begins so can be such a picture: 16 bytes tell, under 12 never do. */
bool photo_is_known(const void *first, size_t len);
/* False too for what is no such picture, or a damaged one. */
bool photo_has_position(struct probe *p);

#endif
