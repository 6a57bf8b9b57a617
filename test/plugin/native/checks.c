#include "check.h"

int main(void) {
  check_decide();
  check_deadline();
  check_setting_value();
  check_input_plist();
  check_scrub();
  return 0;
}
