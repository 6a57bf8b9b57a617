import type { Attack } from './attack.ts';
import { archiveAttacks } from './of-archive.ts';
import { codeAttacks } from './of-code.ts';
import { documentAttacks } from './of-documents.ts';
import { policyAttacks } from './of-policy.ts';
import { spellingAttacks } from './of-spellings.ts';
import { strangerAttacks } from './of-strangers.ts';
import { treeAttacks } from './of-trees.ts';

/** Every attack of the kit; a file for each subject. */
export function attackTable(): Attack[] {
  return [
    ...documentAttacks(),
    ...treeAttacks(),
    ...archiveAttacks(),
    ...codeAttacks(),
    ...policyAttacks(),
    ...spellingAttacks(),
    ...strangerAttacks(),
  ];
}
