/* Value decoding: first byte the kind, then the text or the bytes of a double. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "setting-value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  struct setting_value value = {(enum setting_kind)(data[0] % (SETTING_OTHER + 1)), 0, ""};
  if (value.kind == SETTING_TEXT) {
    const size_t length = size - 1 < SETTING_TEXT_SIZE - 1 ? size - 1 : SETTING_TEXT_SIZE - 1;
    memcpy(value.text, data + 1, length);
  } else {
    memcpy(&value.number, data + 1, size - 1 < sizeof value.number ? size - 1 : sizeof value.number);
  }
  bool boolean;
  unsigned seconds;
  if (setting_boolean(&value, &boolean) && value.kind != SETTING_BOOLEAN && value.kind != SETTING_NUMBER &&
      value.kind != SETTING_TEXT)
    abort();
  if (setting_timeout_seconds(&value, &seconds) && (seconds < 5 || seconds > 120)) abort();
  return 0;
}
