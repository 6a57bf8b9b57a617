import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SMOKE_IMAGES } from '../../../../build/github/release/verdicts.ts';

/** Returns what all Macs say that installed the package in a finished folder, one line each. */
export function verdicts(folder: string): string {
  const name = readdirSync(folder).find((one) => one.endsWith('.pkg')) as string;
  const sha256 = createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex');
  const { teamIdentifier: team } = JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8')).package;
  return SMOKE_IMAGES.map((image) => `${JSON.stringify(verdict(image, { name, sha256, team }))}\n`).join('');
}

/** One Mac's verdict. */
export function verdict(image: string, package_: object): Record<string, unknown> {
  const architecture = image.endsWith('-intel') ? 'x86_64' : 'arm64';
  return {
    schema: 1,
    image,
    macOS: { version: '26.5', build: '25F71' },
    architecture,
    sip: 'disabled',
    package: package_,
    tried: [
      'package-signature',
      'ticket',
      'gatekeeper',
      'install',
      `load-${architecture}`,
      'install-again',
      'uninstall',
    ],
    skipped: [],
    verdict: 'pass',
  };
}
