import type { Bomb } from './kit.ts';
import { codeBombs } from './of-code.ts';
import { documentBombs } from './of-documents.ts';
import { streamBombs } from './of-streams.ts';
import { treeBombs } from './of-trees.ts';

/** Every way to make a small file cost much that somebody thought of; a file for each subject. */
export function bombTable(): Bomb[] {
  return [...streamBombs(), ...treeBombs(), ...documentBombs(), ...codeBombs()];
}
