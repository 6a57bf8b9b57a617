#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "deadline.h"
#include "login.h"
#include "rotate.h"

/* Context keys. Source: AuthorizationTags.h (username, password, uid), AuthorizationTagsPriv.h (the others). */
static const char USERNAME[] = "username";
static const char PASSWORD[] = "password";
static const char USER_ID[] = "uid";
static const char *const TOKEN_KEYS[] = {"authenticated-token-id", "ap-pam-service-name"};

/* The engine's value, borrowed until the next call; empty when there is none. */
static struct bytes context_bytes(const struct login *login, const char *key) {
  AuthorizationContextFlags flags;
  const AuthorizationValue *value = NULL;
  const struct bytes none = {NULL, 0};
  if (login->callbacks->GetContextValue == NULL) return none;
  if (login->callbacks->GetContextValue(login->engine, key, &flags, &value) != errAuthorizationSuccess) return none;
  return value == NULL || value->data == NULL ? none : (struct bytes){value->data, value->length};
}

/* A text without trailing zero bytes. Some mechanisms count a terminator in, authd does not (authitems.c), so neither
 * is relied on. */
static struct bytes context_text(const struct login *login, const char *key) {
  struct bytes text = context_bytes(login, key);
  while (text.length > 0 && text.data[text.length - 1] == 0) text.length--;
  return text;
}

/* authd sets the four bytes of a uid_t (authitems.c); another mechanism may set eight. */
static struct user read_user(const struct login *login) {
  const struct bytes value = context_bytes(login, USER_ID);
  uint64_t id = 0;
  if (value.length != sizeof(uint32_t) && value.length != sizeof(uint64_t)) return (struct user){.known = false};
  memcpy(&id, value.data, value.length); /* both architectures are little-endian */
  return (struct user){id <= UINT32_MAX, (uint32_t)id};
}

/* Each value asked for leaves the lines that 1.0.0 wrote. */
static bool has_text(const struct login *login, const char *key) {
  const os_log_t log = login->logs.mechanism;
  LOG_DEFAULT(log, "getContextData called");
  const bool found = context_text(login, key).length > 0;
  if (found) LOG_DEFAULT(log, "getContextData succeeded");
  else LOG_ERROR(log, "getContextData failed");
  return found;
}

static enum answer read_username(const struct login *login) {
  LOG_DEFAULT(login->logs.mechanism, "Requesting username");
  if (!has_text(login, USERNAME)) {
    LOG_ERROR(login->logs.invoke, "Unable to instantiate username");
    return ANSWER_NO;
  }
  const struct bytes username = context_text(login, USERNAME);
  if (username.length <= USERNAME_MOST && xml_representable(username)) return ANSWER_YES;
  LOG_ERROR(login->logs.invoke, "ERROR: The user name is too long, or holds what XML cannot carry to fdesetup");
  return ANSWER_NO;
}

static enum answer read_password(const struct login *login) {
  LOG_DEFAULT(login->logs.mechanism, "Requesting password");
  if (has_text(login, PASSWORD)) return ANSWER_YES;
  LOG_ERROR(login->logs.invoke, "Unable to instantiate password");
  return ANSWER_NO;
}

/* The password is then a PIN, or was not used at all. Source: authd engine.m on ap-pam-service-name. */
static enum answer read_token_login(const struct login *login) {
  for (size_t i = 0; i < sizeof TOKEN_KEYS / sizeof TOKEN_KEYS[0]; i++)
    if (context_text(login, TOKEN_KEYS[i]).length > 0) return ANSWER_YES;
  return ANSWER_NO;
}

static bool copy(uint8_t *to, size_t capacity, size_t *length, struct bytes from) {
  if (from.length == 0 || from.length > capacity || !xml_representable(from)) return false;
  memcpy(to, from.data, from.length);
  *length = from.length;
  return true;
}

/* The first and only copy of the password. It is checked where it lies, and copied only when it can be used. */
static enum answer read_representable(struct login *login) {
  struct secret *const secret = login->secret = secret_create();
  if (secret == NULL) {
    LOG_ERROR(login->logs.invoke, "ERROR: No memory for the password");
    return ANSWER_FAILED;
  }
  if (!secret->locked) LOG_ERROR(login->logs.invoke, "ERROR: The memory for the password could not be locked");
  return copy(secret->username, USERNAME_MOST, &secret->username_length, context_text(login, USERNAME)) &&
                 copy(secret->password, PASSWORD_MOST, &secret->password_length, context_text(login, PASSWORD))
             ? ANSWER_YES
             : ANSWER_NO;
}

static enum answer read_held_back(struct login *login) {
  login->user = read_user(login);
  return attempts_held_back(login->user) ? ANSWER_YES : ANSWER_NO;
}

static enum filevault read_filevault(struct login *login) {
  login->timeout_ms = settings_timeout_ms(login->logs.invoke);
  login->deadline_ms = deadline_after(monotonic_ms(), login->timeout_ms + BESIDE_CHANGE_MS);
  return ask_filevault(login);
}

void read_fact(struct login *login, enum fact fact, struct facts *facts) {
  const os_log_t log = login->logs.invoke;
  switch (fact) {
  case FACT_REQUESTED:
    facts->requested = settings_requested(log);
    if (facts->requested == ANSWER_YES) LOG_DEFAULT(log, "GenerateNewKey is True");
    break;
  case FACT_REQUEST_FORCED: facts->request_forced = settings_request_forced(); break;
  case FACT_DONE_SINCE: facts->done_since = attempts_done_since(log); break;
  case FACT_ESCROW_PROFILE: facts->escrow_profile = settings_escrow_profile(log); break;
  case FACT_HELD_BACK: facts->held_back = read_held_back(login); break;
  case FACT_FILEVAULT: facts->filevault = read_filevault(login); break;
  case FACT_USERNAME: facts->username = read_username(login); break;
  case FACT_GUEST_LOGIN:
    facts->guest_login = is_guest(context_text(login, USERNAME), login->user) ? ANSWER_YES : ANSWER_NO;
    break;
  case FACT_TOKEN_LOGIN: facts->token_login = read_token_login(login); break;
  case FACT_PASSWORD: facts->password = read_password(login); break;
  case FACT_REPRESENTABLE: facts->representable = read_representable(login); break;
  }
}
