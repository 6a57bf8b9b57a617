#include "plugin.h"

#include "standin.h"

static authorization_plugin_create create;

#ifdef LOGIN_HOST_NATIVE
extern int32_t AuthorizationPluginCreate(const struct authorization_callbacks *, void **, const struct authorization_interface **);

void plugin_load(const char *path) {
    (void)path;
    create = AuthorizationPluginCreate;
}

bool plugin_holds(const void *address) { return address != NULL; }

const struct image *plugin_image(void) { return NULL; }

const char *plugin_slice(void) { return "native"; }
#else
static struct image image;

void plugin_load(const char *path) {
    image_load(&image, path, standin_resolve);
    void *symbol = image_symbol(&image, "_AuthorizationPluginCreate");
    if (!symbol) image_refuse("%s does not export _AuthorizationPluginCreate", path);
    create = (authorization_plugin_create)(uintptr_t)symbol;
}

bool plugin_holds(const void *address) { return (const uint8_t *)address >= image.base && (const uint8_t *)address < image.base + image.span; }

const struct image *plugin_image(void) { return &image; }

const char *plugin_slice(void) {
#if defined(__aarch64__)
    return "arm64";
#else
    return "x86_64";
#endif
}
#endif

authorization_plugin_create plugin_entry(void) { return create; }

#ifdef LOGIN_HOST_NATIVE
/* The host keeps its tables until it ends; what the plugin keeps, memory_left() counts. */
const char *__asan_default_options(void) { return "detect_leaks=0"; }
#endif
