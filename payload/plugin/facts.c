#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "deadline.h"
#include "login.h"
#include "rotate.h"

/* Context keys. Source: AuthorizationTags.h (username, password), AuthorizationTagsPriv.h (the others). */
static const char USERNAME[] = "username";
static const char PASSWORD[] = "password";
static const char *const TOKEN_KEYS[] = {"authenticated-token-id", "ap-pam-service-name"};

/* The engine's value without trailing zero bytes, borrowed until the next call; empty when there is none. Some
 * mechanisms count a terminator in, authd does not (authitems.c), so neither is relied on. */
static struct bytes context_value(const struct login *login, const char *key) {
  AuthorizationContextFlags flags = 0;
  const AuthorizationValue *value = NULL;
  struct bytes result = {NULL, 0};
  if (login->callbacks->GetContextValue == NULL) return result;
  if (login->callbacks->GetContextValue(login->engine, key, &flags, &value) != errAuthorizationSuccess) return result;
  if (value == NULL || value->data == NULL) return result;
  result = (struct bytes){value->data, value->length};
  while (result.length > 0 && result.data[result.length - 1] == 0) result.length--;
  return result;
}

static enum answer read_credentials(const struct login *login) {
  const bool username = context_value(login, USERNAME).length > 0;
  const bool password = username && context_value(login, PASSWORD).length > 0;
  if (!username) LOG_ERROR(login->logs.invoke, "Unable to instantiate username");
  else if (!password) LOG_ERROR(login->logs.invoke, "Unable to instantiate password");
  return username && password ? ANSWER_YES : ANSWER_NO;
}

/* The password is then a PIN, or was not used at all. Source: authd engine.m on ap-pam-service-name. */
static enum answer read_token_login(const struct login *login) {
  for (size_t i = 0; i < sizeof TOKEN_KEYS / sizeof TOKEN_KEYS[0]; i++)
    if (context_value(login, TOKEN_KEYS[i]).length > 0) return ANSWER_YES;
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
    LOG_ERROR(login->logs.invoke, "ERROR: No locked memory for the password");
    return ANSWER_FAILED;
  }
  return copy(secret->username, USERNAME_MOST, &secret->username_length, context_value(login, USERNAME)) &&
                 copy(secret->password, PASSWORD_MOST, &secret->password_length, context_value(login, PASSWORD))
             ? ANSWER_YES
             : ANSWER_NO;
}

void read_fact(struct login *login, enum fact fact, struct facts *facts) {
  switch (fact) {
  case FACT_REQUESTED:
    facts->requested = settings_requested(login->logs.invoke);
    if (facts->requested == ANSWER_YES) LOG_DEFAULT(login->logs.invoke, "GenerateNewKey is True");
    break;
  case FACT_REQUEST_FORCED: facts->request_forced = settings_request_forced(); break;
  case FACT_ESCROW_PROFILE: facts->escrow_profile = settings_escrow_profile(login->logs.invoke); break;
  case FACT_FILEVAULT:
    login->deadline_ms = deadline_after(monotonic_ms(), settings_timeout_ms(login->logs.invoke));
    facts->filevault = ask_filevault(login);
    break;
  case FACT_CREDENTIALS: facts->credentials = read_credentials(login); break;
  case FACT_TOKEN_LOGIN: facts->token_login = read_token_login(login); break;
  case FACT_REPRESENTABLE: facts->representable = read_representable(login); break;
  case FACT_HELD_BACK: facts->held_back = settings_held_back() ? ANSWER_YES : ANSWER_NO; break;
  }
}
