/** Apple's programs that this toolchain runs. */
export type AppleTool =
  | 'clang'
  | 'ld'
  | 'lipo'
  | 'codesign'
  | 'pkgbuild'
  | 'productbuild'
  | 'productsign'
  | 'notarytool'
  | 'stapler'
  | 'pkgutil'
  | 'spctl'
  | 'security'
  | 'xcrun';

/** Who has to act on a failure, hence the class of its error and the exit code. */
export type FailureKind = 'tool' | 'refused' | 'network' | 'verification';

/** A failure: tool, code, kind, words to look for, next step. */
export type FailureRow = readonly [AppleTool, string, FailureKind, string, string];
