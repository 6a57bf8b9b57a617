/* What the plug-in uses of the unified log. Sources: os/log.h as in darlinghq/darling, os_log(3). */
#ifndef SDK_OS_LOG_H
#define SDK_OS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct os_log_s *os_log_t;
typedef uint8_t os_log_type_t;
enum { OS_LOG_TYPE_DEFAULT = 0x00, OS_LOG_TYPE_DEBUG = 0x02, OS_LOG_TYPE_ERROR = 0x10 };

struct mach_header;
extern struct mach_header __dso_handle; /* made by the linker */

os_log_t os_log_create(const char *subsystem, const char *category);
bool os_log_type_enabled(os_log_t log, os_log_type_t type);
void _os_log_impl(void *image, os_log_t log, os_log_type_t type, const char *format, uint8_t *buffer, uint32_t size);

#endif
