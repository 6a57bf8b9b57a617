/* The unified log, with upstream's subsystem and categories. Dynamic text states its privacy at each call. */
#ifndef ESCROW_BUDDY_LOG_H
#define ESCROW_BUDDY_LOG_H

#include <os/log.h>

struct logs {
  os_log_t invoke;    /* category Invoke: what is decided; may be NULL, then nothing is logged */
  os_log_t mechanism; /* category EBMechanism: what is done */
};

struct logs open_logs(void);

/* logd finds a format by its offset in this section of the image. Apple's macro also says cstring_literals; lld 14 then
 * moves the text to __cstring. Source: os/log.h of macOS 10.14. That logd goes by the name alone is UNCERTAIN. */
#ifdef __MACH__
#define LOG_SECTION __attribute__((section("__TEXT,__oslogstring")))
#else
#define LOG_SECTION
#endif

#define LOG(log, type, format, ...)                                                                                    \
  do {                                                                                                                 \
    const os_log_t log_ = (log);                                                                                       \
    if (log_ != NULL && os_log_type_enabled(log_, (type))) {                                                           \
      static const char format_[] LOG_SECTION = format;                                                                \
      uint8_t buffer_[__builtin_os_log_format_buffer_size(format, ##__VA_ARGS__)] __attribute__((aligned(16)));        \
      _os_log_impl(&__dso_handle, log_, (type), format_, __builtin_os_log_format(buffer_, format, ##__VA_ARGS__),      \
                   (uint32_t)sizeof buffer_);                                                                          \
    }                                                                                                                  \
  } while (0)

#define LOG_DEBUG(log, ...) LOG(log, OS_LOG_TYPE_DEBUG, __VA_ARGS__)
#define LOG_DEFAULT(log, ...) LOG(log, OS_LOG_TYPE_DEFAULT, __VA_ARGS__)
#define LOG_ERROR(log, ...) LOG(log, OS_LOG_TYPE_ERROR, __VA_ARGS__)

#endif
