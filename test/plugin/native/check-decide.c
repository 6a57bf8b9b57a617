#include <math.h>
#include <string.h>

#include "check.h"
#include "decide.h"

/* Facts as the names of tests spell them: the first field that differs from ALL_WELL decides. */
static const struct facts ALL_WELL = {ANSWER_YES, ANSWER_NO, ANSWER_NO, ANSWER_YES, ANSWER_NO, FILEVAULT_ON,
                                      ANSWER_YES, ANSWER_NO, ANSWER_NO, ANSWER_YES, ANSWER_YES};

static void stops(const char *name, struct facts facts, const char *code) {
  const struct decision decision = decide(&facts);
  CHECK(name, decision.step == STEP_STOP && strcmp(outcome_name(decision.outcome), code) == 0);
}

static void check_order(void) {
  struct facts facts = {0};
  const enum fact order[] = {FACT_REQUESTED, FACT_REQUEST_FORCED, FACT_DONE_SINCE,  FACT_ESCROW_PROFILE,
                             FACT_HELD_BACK, FACT_FILEVAULT,      FACT_USERNAME,    FACT_GUEST_LOGIN,
                             FACT_TOKEN_LOGIN, FACT_PASSWORD,     FACT_REPRESENTABLE};
  bool in_order = true;
  for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
    const struct decision decision = decide(&facts);
    in_order = in_order && decision.step == STEP_READ && decision.fact == order[i];
    switch (order[i]) {
    case FACT_REQUESTED: facts.requested = ALL_WELL.requested; break;
    case FACT_REQUEST_FORCED: facts.request_forced = ALL_WELL.request_forced; break;
    case FACT_ESCROW_PROFILE: facts.escrow_profile = ALL_WELL.escrow_profile; break;
    case FACT_FILEVAULT: facts.filevault = ALL_WELL.filevault; break;
    case FACT_DONE_SINCE: facts.done_since = ALL_WELL.done_since; break;
    case FACT_USERNAME: facts.username = ALL_WELL.username; break;
    case FACT_GUEST_LOGIN: facts.guest_login = ALL_WELL.guest_login; break;
    case FACT_PASSWORD: facts.password = ALL_WELL.password; break;
    case FACT_TOKEN_LOGIN: facts.token_login = ALL_WELL.token_login; break;
    case FACT_REPRESENTABLE: facts.representable = ALL_WELL.representable; break;
    case FACT_HELD_BACK: facts.held_back = ALL_WELL.held_back; break;
    }
  }
  CHECK("decide: asks for each fact in the decided order", in_order);
  CHECK("decide: rotates when all is well", decide(&ALL_WELL).step == STEP_ROTATE);
}

static void check_stops(void) {
  struct facts facts = {0};
  facts.requested = ANSWER_NO;
  stops("decide: stops without a request, before any other fact", facts, "not-requested");
#define STOPS(field, value, code)                                                                                      \
  facts = ALL_WELL;                                                                                                    \
  facts.field = value;                                                                                                 \
  stops("decide: " #field " " #value " stops", facts, code)
  STOPS(request_forced, ANSWER_YES, "request-forced");
  STOPS(escrow_profile, ANSWER_NO, "no-escrow-profile");
  STOPS(filevault, FILEVAULT_OFF, "filevault-off");
  STOPS(filevault, FILEVAULT_BUSY, "filevault-busy");
  STOPS(filevault, FILEVAULT_TIMED_OUT, "timed-out");
  STOPS(filevault, FILEVAULT_NOT_STARTED, "spawn-failed");
  STOPS(filevault, FILEVAULT_UNCLEAR, "internal-error");
  STOPS(username, ANSWER_NO, "no-credentials");
  STOPS(guest_login, ANSWER_YES, "guest-login");
  STOPS(password, ANSWER_NO, "no-password-login");
  STOPS(token_login, ANSWER_YES, "token-login");
  STOPS(representable, ANSWER_NO, "password-not-representable");
  STOPS(representable, ANSWER_FAILED, "internal-error");
  STOPS(held_back, ANSWER_YES, "held-back");
#undef STOPS
  facts = ALL_WELL;
  facts.request_forced = ANSWER_YES;
  facts.escrow_profile = ANSWER_NO;
  facts.held_back = ANSWER_YES;
  stops("decide: the earliest reason is the one told", facts, "request-forced");
  facts = ALL_WELL;
  facts.filevault = FILEVAULT_UNKNOWN;
  CHECK("decide: a lost answer about FileVault does not stop", decide(&facts).step == STEP_ROTATE);
  facts.done_since = ANSWER_YES;
  facts.held_back = ANSWER_YES;
  const struct decision decision = decide(&facts);
  CHECK("decide: an earlier change that succeeded comes first",
        decision.step == STEP_CONFIRM && decision.outcome == OUTCOME_ROTATED);
}

static void check_isactive(void) {
  CHECK("isactive: exit 0 is on", filevault_after(CHILD_EXITED, 0) == FILEVAULT_ON);
  CHECK("isactive: exit 1 is off", filevault_after(CHILD_EXITED, 1) == FILEVAULT_OFF);
  CHECK("isactive: exit 2 is busy, not off", filevault_after(CHILD_EXITED, 2) == FILEVAULT_BUSY);
  CHECK("isactive: exit 28 is busy, not off", filevault_after(CHILD_EXITED, 28) == FILEVAULT_BUSY);
  CHECK("isactive: exit 99 is unclear", filevault_after(CHILD_EXITED, 99) == FILEVAULT_UNCLEAR);
  CHECK("isactive: a signal is unclear", filevault_after(CHILD_SIGNALLED, 1) == FILEVAULT_UNCLEAR);
  CHECK("isactive: a lost status is told apart", filevault_after(CHILD_LOST, 0) == FILEVAULT_UNKNOWN);
  CHECK("isactive: a hang is told apart", filevault_after(CHILD_TIMED_OUT, 0) == FILEVAULT_TIMED_OUT);
  CHECK("isactive: no start is told apart", filevault_after(CHILD_NOT_STARTED, 2) == FILEVAULT_NOT_STARTED);
}

static void check_rotation(void) {
  CHECK("rotation: exit 0 and another record", outcome_of_rotation(CHILD_EXITED, 0, true) == OUTCOME_ROTATED);
  CHECK("rotation: exit 0 alone", outcome_of_rotation(CHILD_EXITED, 0, false) == OUTCOME_ROTATED_UNCONFIRMED);
  CHECK("rotation: exit 11", outcome_of_rotation(CHILD_EXITED, 11, false) == OUTCOME_AUTHENTICATION_FAILED);
  CHECK("rotation: exit 1", outcome_of_rotation(CHILD_EXITED, 1, false) == OUTCOME_FILEVAULT_OFF);
  CHECK("rotation: exit 2", outcome_of_rotation(CHILD_EXITED, 2, false) == OUTCOME_FILEVAULT_BUSY);
  CHECK("rotation: exit 28", outcome_of_rotation(CHILD_EXITED, 28, false) == OUTCOME_FILEVAULT_BUSY);
  bool others = true;
  for (int status = 0; status < 256; status++)
    if (status != 0 && status != 1 && status != 2 && status != 11 && status != 28)
      others = others && outcome_of_rotation(CHILD_EXITED, status, true) == OUTCOME_ROTATION_FAILED;
  CHECK("rotation: every other exit status fails, whatever the file says", others);
  CHECK("rotation: a signal", outcome_of_rotation(CHILD_SIGNALLED, 9, true) == OUTCOME_ROTATION_FAILED);
  CHECK("rotation: after a lost status the record decides", outcome_of_rotation(CHILD_LOST, 0, true) == OUTCOME_ROTATED);
  CHECK("rotation: a lost status alone is not a success", outcome_of_rotation(CHILD_LOST, 0, false) == OUTCOME_INTERNAL_ERROR);
  CHECK("rotation: beyond its time", outcome_of_rotation(CHILD_NOT_AWAITED, 0, true) == OUTCOME_NOT_AWAITED);
  CHECK("rotation: the deadline", outcome_of_rotation(CHILD_TIMED_OUT, 0, true) == OUTCOME_TIMED_OUT);
  CHECK("rotation: no start", outcome_of_rotation(CHILD_NOT_STARTED, 0, true) == OUTCOME_SPAWN_FAILED);
  CHECK("back-off: bad timing is not a failure",
        !counts_as_failure(OUTCOME_FILEVAULT_BUSY) && !counts_as_failure(OUTCOME_FILEVAULT_OFF));
  CHECK("back-off: success is not a failure",
        !counts_as_failure(OUTCOME_ROTATED) && !counts_as_failure(OUTCOME_ROTATED_UNCONFIRMED));
  CHECK("back-off: a wrong password is one", counts_as_failure(OUTCOME_AUTHENTICATION_FAILED));
  CHECK("back-off: a hang is one", counts_as_failure(OUTCOME_TIMED_OUT));
  CHECK("back-off: what is not known yet is none", !counts_as_failure(OUTCOME_NOT_AWAITED));
  CHECK("back-off: no password and no token are none",
        !counts_as_failure(OUTCOME_NO_PASSWORD_LOGIN) && !counts_as_failure(OUTCOME_NO_TOKEN_YET));
  CHECK("back-off: an unknown outcome is one", counts_as_failure((enum outcome)99));
  CHECK("outcome: the first that is none", strcmp(outcome_name(OUTCOME_COUNT), "internal-error") == 0);
  CHECK("outcome: an unknown one has a name", strcmp(outcome_name((enum outcome)99), "internal-error") == 0);
}

static struct bytes words(const char *text) { return (struct bytes){(const uint8_t *)text, strlen(text)}; }

static void check_token(void) {
  CHECK("token: 11, 26 and 99 may mean none", may_lack_token(CHILD_EXITED, 11) && may_lack_token(CHILD_EXITED, 26) &&
                                                  may_lack_token(CHILD_EXITED, 99));
  CHECK("token: others do not", !may_lack_token(CHILD_EXITED, 0) && !may_lack_token(CHILD_EXITED, 12));
  CHECK("token: a signal does not", !may_lack_token(CHILD_SIGNALLED, 11));
  CHECK("list: one user", lists_a_user(words("alex,A6C75639\n")));
  CHECK("list: without a line feed", lists_a_user(words("alex,A6C75639")));
  CHECK("list: nothing", !lists_a_user(words("")) && !lists_a_user(words("\n\n")));
  CHECK("list: the recovery key is not a user", !lists_a_user(words("(null),A6C75639\n")));
  CHECK("list: a user behind it", lists_a_user(words("(null),A6C75639\nalex,0C1D\n")));
  CHECK("list: a user whose name begins like it", lists_a_user(words("(null)x,A6C75639\n")));
  CHECK("list: a name as long as that of the recovery key", lists_a_user(words("abcdef,A6C7\n")));
  CHECK("list: a name that is its beginning", lists_a_user(words("(nul),A6C7")) && lists_a_user(words("(,A6C7")));
  CHECK("list: a name that ends otherwise", lists_a_user(words("(nullx,A6C7")));
  CHECK("list: a line without a name behind an empty one", !lists_a_user(words("\n,A6C7")));
  CHECK("list: no further than its end", !lists_a_user((struct bytes){(const uint8_t *)"alex,", 4}));
  CHECK("list: a name of one letter", lists_a_user(words("a,A6C7")) && lists_a_user(words("\na,")));
  CHECK("list: the recovery key behind other lines", !lists_a_user(words("x\n(null),A6C7\n\n(null),A6C7")));
  CHECK("list: words without a name", !lists_a_user(words("FileVault is Off.\n")) && !lists_a_user(words(",A6C7\n")));
}

static void check_guest(void) {
  const struct user unknown = {false, 201}, first = {true, 501}, guest = {true, 201};
  CHECK("guest: by name", is_guest(words("Guest"), first) && is_guest(words("guest"), unknown));
  CHECK("guest: by id", is_guest(words("visitor"), guest));
  const struct user below = {true, 200}, above = {true, 202}, none = {false, 0};
  CHECK("guest: the ids beside it", !is_guest(words("x"), below) && !is_guest(words("x"), above));
  CHECK("guest: in any letters, whoever it is", is_guest(words("GUEST"), none) && is_guest(words("gUEst"), above));
  CHECK("guest: each letter counts", !is_guest(words("huest"), none) && !is_guest(words("guess"), none) &&
                                         !is_guest(words("gu st"), none));
  CHECK("guest: others are none", !is_guest(words("guests"), first) && !is_guest(words("gues"), first) &&
                                      !is_guest(words("alex"), unknown) && !is_guest(words(""), unknown));
}

static void check_held_back(void) {
  const double day = 24 * 60 * 60;
  CHECK("held back: not after two failures", !held_back(2, true, 1));
  CHECK("held back: after three", held_back(3, true, 1));
  CHECK("held back: at once", held_back(3, true, 0));
  CHECK("held back: up to 24 h", held_back(3, true, day - 0.001));
  CHECK("held back: no longer than 24 h", !held_back(3, true, day));
  CHECK("held back: never by a last attempt in the future", !held_back(1000, true, -1));
  CHECK("held back: never by an unknown last attempt", !held_back(1000, false, 1));
  CHECK("held back: never by a clock that is not a number", !held_back(3, true, (double)NAN));
}

void check_decide(void) {
  check_order();
  check_stops();
  check_isactive();
  check_rotation();
  check_token();
  check_guest();
  check_held_back();
}
