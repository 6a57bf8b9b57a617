/* One line a check, read by the test that runs the program: "ok NAME" or "not ok NAME: expression". */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#define CHECK(name, expression)                                                                                        \
  do {                                                                                                                 \
    if (expression) printf("ok %s\n", (name));                                                                         \
    else printf("not ok %s: %s (line %d)\n", (name), #expression, __LINE__);                                           \
  } while (0)

void check_decide(void);
void check_deadline(void);
void check_setting_value(void);
void check_input_plist(void);
void check_scrub(void);

#endif
