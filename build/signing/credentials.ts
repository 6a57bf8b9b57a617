/** Variables that hold the notary's key. */
export const NOTARY_NAMES = ['NOTARY_KEY', 'NOTARY_KEY_ID', 'NOTARY_ISSUER_ID'] as const;

/** The first names are those that messages ask for, the others are the second way to give the same. */
export const IDENTITY_NAMES = {
  application: [
    ['APPLICATION_P12_BASE64', 'APPLICATION_P12_PASSWORD'],
    ['APPLICATION_CERTIFICATE_PEM', 'APPLICATION_KEY_PEM'],
  ],
  installer: [
    ['INSTALLER_P12_BASE64', 'INSTALLER_P12_PASSWORD'],
    ['INSTALLER_CERTIFICATE_PEM', 'INSTALLER_KEY_PEM'],
  ],
} as const;

const KNOWN = [...NOTARY_NAMES, ...IDENTITY_NAMES.application.flat(), ...IDENTITY_NAMES.installer.flat()].flatMap(
  (name): string[] => [name, `${name}_FILE`],
);
/** Slips of the finger; two real names are further apart, or both known. */
const MOST_EDITS = 2;

/** Returns the names of which neither the variable nor its `_FILE` is set. */
export function missingNames(names: readonly string[], env: Readonly<NodeJS.ProcessEnv>): string[] {
  return names.filter((name) => !env[name] && !env[`${name}_FILE`]);
}

/** A variable that is set and is perhaps meant for another name. */
export interface LookAlike {
  readonly found: string;
  readonly meant: string;
}

/**
 * Returns the variables that are set and look like a slip for one that this program reads: a letter, an underscore or a capital
 * apart. Only their names are looked at.
 *
 * @example lookAlikes({ APPLICATON_P12_BASE64: '...' }) // [{ found: 'APPLICATON_P12_BASE64', meant: 'APPLICATION_P12_BASE64' }]
 */
export function lookAlikes(env: Readonly<NodeJS.ProcessEnv>): LookAlike[] {
  const set = Object.keys(env).filter((name) => env[name] && !KNOWN.includes(name));
  return set.flatMap((found) => {
    const near = KNOWN.filter((name) => !env[name])
      .map((meant) => ({ meant, edits: editsBetween(plain(found), plain(meant)) }))
      .filter(({ edits }) => edits <= MOST_EDITS)
      .sort((a, b) => a.edits - b.edits)[0];
    return near ? [{ found, meant: near.meant }] : [];
  });
}

/** Returns what to say about look-alikes behind a list of what is missing; empty without any. */
export function describeLookAlikes(env: Readonly<NodeJS.ProcessEnv>): string {
  return lookAlikes(env)
    .map(({ found, meant }) => `\n  ${found} is set: did you mean ${meant}?`)
    .join('');
}

/** Underscores and capitals are what people forget first. */
const plain = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '');

/** Returns how many letters must be added, left out, replaced or swapped with their neighbour (optimal string alignment). */
function editsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST_EDITS) return MOST_EDITS + 1;
  const rows: number[][] = [[...Array(b.length + 1).keys()]];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const at = (x: number, y: number) => (x === 0 ? row : (rows[i - x] as number[]))[j - y] as number;
      const same = a[i - 1] === b[j - 1];
      // Before a first letter stands none, which equals no letter.
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(Math.min(at(1, 0) + 1, at(0, 1) + 1, at(1, 1) + (same ? 0 : 1), swapped ? at(2, 2) + 1 : Infinity));
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] as number;
}
