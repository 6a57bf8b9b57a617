/** A setting that a profile may set. GenerateNewKey is none: it is a request, and a forced one could never be cleared. */
export interface Setting {
  readonly key: string;
  readonly type: 'boolean' | 'integer' | 'string';
  readonly title: string;
  readonly description: string;
  readonly fallback?: boolean | number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Regular expression that a text must match. */
  readonly format?: string;
  /** Its type in words, with values; Markdown. */
  readonly example?: string;
}

/** Every setting of the preference domain; a test holds the keys to the plug-in's and the scripts' own. */
export const SETTINGS: readonly Setting[] = [
  {
    key: 'CommandTimeout',
    type: 'integer',
    title: 'Seconds a login waits for a new key',
    description:
      'How long a login with a request waits for fdesetup. A change that has begun is never ended; the login goes on without it.',
    fallback: 30,
    minimum: 20,
    maximum: 120,
  },
  {
    key: 'EnableGuard',
    type: 'boolean',
    title: 'Install the guard',
    description:
      'The package installs a launch daemon that puts the login entry back after an update of macOS, and takes it out when the bundle is gone.',
    fallback: false,
  },
  {
    key: 'DisableHeal',
    type: 'boolean',
    title: 'Guard only unlocks',
    description: 'The guard never puts a missing login entry back; it only takes out one whose bundle is gone.',
    fallback: false,
  },
  {
    key: 'MaximumOSVersion',
    type: 'string',
    title: 'Newest macOS to put the entry back on',
    description: 'The guard puts a missing entry back up to this macOS, such as 26 or 26.2. Empty means every version.',
    format: '^[0-9]{1,3}(\\.[0-9]{1,3}){0,2}$',
    example: 'string, `26` or `26.2`',
  },
];
