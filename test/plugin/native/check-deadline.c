#include "check.h"
#include "deadline.h"

void check_deadline(void) {
  CHECK("deadline: now and a span", deadline_after(1000, 30000) == 31000);
  CHECK("deadline: saturates instead of wrapping", deadline_after(CLOCK_UNREADABLE - 5, 30000) == CLOCK_UNREADABLE - 1);
  CHECK("deadline: the largest span saturates too", deadline_after(1, UINT64_MAX) == CLOCK_UNREADABLE - 1);
  CHECK("deadline: passed when the clock could not be read at the start",
        deadline_left(deadline_after(CLOCK_UNREADABLE, 30000), 0) == 0);
  CHECK("deadline: passed when the clock can no longer be read", deadline_left(31000, CLOCK_UNREADABLE) == 0);
  CHECK("deadline: milliseconds left", deadline_left(31000, 1000) == 30000);
  CHECK("deadline: nothing left at the deadline", deadline_left(31000, 31000) == 0);
  CHECK("deadline: nothing left after it", deadline_left(31000, 31001) == 0);
  CHECK("deadline: the earlier of two", earlier_ms(2, 1) == 1 && earlier_ms(1, 2) == 1);
}
