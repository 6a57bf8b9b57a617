/** Sources of the plug-in that need nothing of a Mac: the native checks are compiled with them alone. */
export const PURE_PARTS: readonly string[] = ['decide.c', 'outcome.c', 'setting-value.c', 'input-plist.c', 'scrub.c'];
