import { releaseRepositoryOf } from '../render.ts';
import type { KitInput, KitSystem } from '../system.ts';

/** Installomator. Source: Installomator/Installomator, fragments/labels and functions, 2026. */
export const installomator: KitSystem = {
  name: 'Installomator',
  folder: 'installomator',
  steps: () => ({
    escrow: 'Not Installomator’s part: use your MDM.',
    package:
      'Put the label into your copy of Installomator (`fragments/labels/`), assemble it, and run `Installomator.sh escrowbuddyx`.',
    request: 'Not Installomator’s part.',
    check: 'It stops when the team of the signer is another.',
    remove: 'Not Installomator’s part; see your MDM’s folder.',
  }),
  files: ({ facts, url }: KitInput) => {
    const [owner, name] = (releaseRepositoryOf(url) ?? 'OWNER/REPOSITORY').split('/');
    return {
      'escrowbuddyx.sh': `escrowbuddyx)
    # ${facts.title}, drop-in successor of 1.0.0; the label escrowbuddy is the 1.0.0 of its first makers
    name="${facts.title}"
    type="pkg"
    packageID="${facts.identifier}"
    archiveName="Escrow.Buddy-[0-9.]*.pkg"
    downloadURL=$(downloadURLFromGit ${owner} ${name})
    appNewVersion=$(versionFromGit ${owner} ${name})
    expectedTeamID="${facts.signing?.teamIdentifier ?? ''}"
    ;;
`,
    };
  },
  paths: [
    {
      name: 'label',
      rules: [
        {
          rule: 'The package’s name matches the archive name of the label.',
          source: 'Installomator, functions.sh, downloadURLFromGit',
          problem: ({ facts }) =>
            /^Escrow\.Buddy-[0-9.]*\.pkg$/.test(facts.file.name) ? undefined : `it is ${facts.file.name}`,
        },
        {
          rule: 'The signer’s name has no brackets before the team’s.',
          source: 'Installomator, functions.sh: the team is read at the first bracket',
          problem: ({ facts }) =>
            (facts.signing?.signer.match(/\(/g) ?? []).length === 1
              ? undefined
              : `the signer is ${facts.signing?.signer ?? 'nobody'}`,
        },
      ],
    },
  ],
};
