/* The plug-in interface. Source: AuthorizationPlugin.h and Authorization.h, Security-61901,
 * OSX/libsecurity_authorization/lib. */
#ifndef SDK_AUTHORIZATION_PLUGIN_H
#define SDK_AUTHORIZATION_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <CoreFoundation/CoreFoundation.h>

typedef int32_t OSStatus;
typedef uint32_t UInt32;

enum { errAuthorizationSuccess = 0, errAuthorizationInternal = -60008 };

typedef const char *AuthorizationString;
typedef const AuthorizationString AuthorizationMechanismId;
typedef void *AuthorizationPluginRef;
typedef void *AuthorizationMechanismRef;
typedef void *AuthorizationSessionId;
typedef struct __OpaqueAuthorizationEngine *AuthorizationEngineRef;
typedef UInt32 AuthorizationContextFlags;
typedef UInt32 AuthorizationResult;
enum { kAuthorizationResultAllow = 0 };

typedef struct AuthorizationValue {
  size_t length;
  void *data;
} AuthorizationValue;

typedef struct AuthorizationValueVector {
  UInt32 count;
  AuthorizationValue *values;
} AuthorizationValueVector;

/* All of version 0. Later versions only add behind. */
typedef struct AuthorizationCallbacks {
  UInt32 version;
  OSStatus (*SetResult)(AuthorizationEngineRef engine, AuthorizationResult result);
  OSStatus (*RequestInterrupt)(AuthorizationEngineRef engine);
  OSStatus (*DidDeactivate)(AuthorizationEngineRef engine);
  OSStatus (*GetContextValue)(AuthorizationEngineRef engine, AuthorizationString key, AuthorizationContextFlags *flags,
                              const AuthorizationValue **value);
  OSStatus (*SetContextValue)(AuthorizationEngineRef engine, AuthorizationString key, AuthorizationContextFlags flags,
                              const AuthorizationValue *value);
  OSStatus (*GetHintValue)(AuthorizationEngineRef engine, AuthorizationString key, const AuthorizationValue **value);
  OSStatus (*SetHintValue)(AuthorizationEngineRef engine, AuthorizationString key, const AuthorizationValue *value);
  OSStatus (*GetArguments)(AuthorizationEngineRef engine, const AuthorizationValueVector **arguments);
  OSStatus (*GetSessionId)(AuthorizationEngineRef engine, AuthorizationSessionId *session);
} AuthorizationCallbacks;

enum { kAuthorizationPluginInterfaceVersion = 0 };

typedef struct AuthorizationPluginInterface {
  UInt32 version;
  OSStatus (*PluginDestroy)(AuthorizationPluginRef plugin);
  OSStatus (*MechanismCreate)(AuthorizationPluginRef plugin, AuthorizationEngineRef engine,
                              AuthorizationMechanismId mechanism, AuthorizationMechanismRef *out);
  OSStatus (*MechanismInvoke)(AuthorizationMechanismRef mechanism);
  OSStatus (*MechanismDeactivate)(AuthorizationMechanismRef mechanism);
  OSStatus (*MechanismDestroy)(AuthorizationMechanismRef mechanism);
} AuthorizationPluginInterface;

OSStatus AuthorizationPluginCreate(const AuthorizationCallbacks *callbacks, AuthorizationPluginRef *plugin,
                                   const AuthorizationPluginInterface **interface);

#endif
