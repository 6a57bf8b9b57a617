/* The plugin under test: a loaded Mach-O image, or the same sources linked into this program. */
#ifndef LOGIN_HOST_PLUGIN_H
#define LOGIN_HOST_PLUGIN_H

#include <stdbool.h>

#include "darwin.h"
#include "macho.h"

/* Loads the file `path`; NULL with the native build. */
void plugin_load(const char *path);
/* Returns AuthorizationPluginCreate. */
authorization_plugin_create plugin_entry(void);
/* Returns whether an address lies in the plugin's image. */
bool plugin_holds(const void *address);
/* Returns the image, or NULL with the native build. */
const struct image *plugin_image(void);
/* "x86_64", "arm64" or "native". */
const char *plugin_slice(void);

#endif
