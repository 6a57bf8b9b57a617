/* Runs a fuzz target on the files named: the corpus replay, where no fuzzer is linked. Prints how many ran. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int count, char **paths) {
  static uint8_t room[1 << 16];
  for (int i = 1; i < count; i++) {
    FILE *const file = fopen(paths[i], "rb");
    if (file == NULL) return 2;
    const size_t length = fread(room, 1, sizeof room, file);
    (void)fclose(file);
    uint8_t *const exact = malloc(length + (length == 0)); /* so that AddressSanitizer sees its end */
    memcpy(exact, room, length);
    LLVMFuzzerTestOneInput(exact, length);
    free(exact);
  }
  printf("%d\n", count - 1);
  return 0;
}
