#include "log.h"

static const char SUBSYSTEM[] = "com.netflix.Escrow-Buddy";

struct logs open_logs(void) {
  return (struct logs){os_log_create(SUBSYSTEM, "Invoke"), os_log_create(SUBSYSTEM, "EBMechanism")};
}
