import type { PackageComparison } from '../compare/compare.ts';
import { releaseRepositoryOf } from '../kit/render.ts';
import { rescueCommands } from '../kit/rescue-card.ts';
import type { KitInput } from '../kit/system.ts';
import { SYSTEMS } from '../kit/systems.ts';
import type { Vocabulary } from '../kit/vocabulary.ts';
import { type Table, vocabularyTables } from '../kit/vocabulary-tables.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { Block, PageSection } from './blocks.ts';
import { changesSection } from './changes.ts';
import { loginSection } from './login.ts';

/** What the release page is written from. */
export interface PageInput {
  readonly manifest: Manifest;
  readonly kit: KitInput;
  /** Name of the kit's zip. */
  readonly kitName: string;
  readonly vocabulary: Vocabulary;
  /** With the release before; null when none was given. */
  readonly comparison: PackageComparison | null;
}

/** Returns the whole page but its head. */
export function releaseSections(input: PageInput): PageSection[] {
  const tables = vocabularyTables(input.vocabulary, input.manifest.version);
  return [
    identity(input),
    verifying(input),
    deploying(input),
    changesSection(input),
    loginSection(input.kit),
    meaning(tables.answers, [tables.outcomes, tables.settings, tables.exitCodes, tables.statuses, tables.lines]),
    seeing(),
    rescue(input),
    removing(input),
  ];
}

function identity({ manifest }: PageInput): PageSection {
  const file = fileOf(manifest);
  const { package: made, code, submission, ticket, commit } = manifest;
  const rows: (readonly [name: string, value: string | null | undefined])[] = [
    ['File', file.path],
    ['Size', `${file.size} bytes`],
    ['SHA-256', file.sha256],
    ['Signer', made?.signer],
    ['Team ID', made?.teamIdentifier],
    ['Package identifier', made?.identifier],
    ['Signing identifier', code[0]?.identifier],
    ...code.map(({ architecture, cdhash }) => [`cdhash ${architecture}`, cdhash] as const),
    ['Signed at', made?.timestamp],
    ['Notary submission', submission?.id],
    ['Notary status', submission?.status],
    ['Ticket stapled', ticket?.issuedAt],
    ['Source commit', commit],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}${value ?? 'none'}`);
  return {
    id: 'identity',
    title: 'What it is',
    blocks: [
      ...(manifest.mode === 'release' ? [] : [rehearsalWarning(manifest.mode)]),
      { kind: 'text', text: 'Whose package this is, to copy into a ticket or an allow list:' },
      { kind: 'commands', label: 'Identity of the package', text: lines.join('\n') },
    ],
  };
}

function rehearsalWarning(mode: string): Block {
  return {
    kind: 'warning',
    text: `This is a ${mode}, signed for trying out: no Mac trusts this package. Do not deploy it.`,
  };
}

function verifying({ manifest, kit }: PageInput): PageSection {
  const { path: name, sha256 } = fileOf(manifest);
  const repository = releaseRepositoryOf(kit.url) ?? 'OWNER/REPOSITORY';
  const workflow = `${repository}/.github/workflows/release.yml`;
  const file = shellWord(name);
  const commands = (label: string, lines: readonly string[]): Block[] => [
    { kind: 'text', text: label },
    { kind: 'commands', label, text: lines.join('\n') },
  ];
  return {
    id: 'verify',
    title: 'Verify it in ten seconds',
    blocks: [
      ...commands(`On a Mac. Expected: OK, the signer above, and "source=Notarized Developer ID".`, [
        // A line that ends with a pipe goes on in the next: pasted as a whole, and nothing of it runs out of the box.
        `echo ${shellWord(`${sha256}  ${name}`)} |`,
        '  shasum -a 256 -c',
        `pkgutil --check-signature ${file}`,
        `spctl -a -vv -t install ${file}`,
      ]),
      ...commands('On Linux, or in a checkout of the project anywhere. The second reads every byte of the package.', [
        `echo ${shellWord(`${sha256}  ${name}`)} |`,
        '  sha256sum --check',
        `npm run -s cli -- verify ${manifest.mode === 'rehearsal' ? '--trust rehearsal ' : ''}${file}`,
      ]),
      ...commands('By provenance: which workflow of which repository built it.', [
        `gh attestation verify ${file} -R ${repository} \\`,
        `  --signer-workflow ${workflow} \\`,
        '  --source-ref refs/heads/main --deny-self-hosted-runners',
      ]),
    ],
  };
}

function deploying({ manifest, kit, kitName }: PageInput): PageSection {
  const { path: name } = fileOf(manifest);
  const { values, minimumMacOS, architectures } = kit.facts;
  return {
    id: 'deploy',
    title: 'Deploy it',
    blocks: [
      {
        kind: 'text',
        text: `For macOS ${minimumMacOS} and later (${architectures.join(', ')}), enrolled in an MDM that escrows FileVault keys.`,
      },
      {
        kind: 'list',
        ordered: true,
        items: [
          '**Escrow profile.** Every Mac needs the one that sends FileVault keys to your MDM. Without it nothing is generated.',
          `**Package.** Upload \`${name}\` and install it on all Macs. It does nothing until it is asked.`,
          `**Request.** On Macs whose key is missing, and on no others, run as root: \`/usr/bin/defaults write /Library/Preferences/${values.DOMAIN}.plist GenerateNewKey -bool true\`. The next login makes a new key. Never set it by a profile.`,
        ],
      },
      {
        kind: 'text',
        text: `Files for each system are in \`${kitName}\`, every value in them read from this package.`,
      },
      ...SYSTEMS.map((system): Block => {
        const { escrow, package: install, request, check, remove } = system.steps(kit);
        return {
          kind: 'folded',
          title: system.name,
          blocks: [
            { kind: 'text', text: `Folder \`${system.folder}/\` of the kit.` },
            {
              kind: 'list',
              ordered: true,
              items: [
                `**Escrow profile.** ${escrow}`,
                `**Package.** ${install}`,
                `**Request.** ${request}`,
                `**Check.** ${check}`,
              ],
            },
            { kind: 'text', text: `**To remove it:** ${remove}` },
          ],
        };
      }),
    ],
  };
}

function meaning(answers: Table, others: readonly Table[]): PageSection {
  const table = ({ title, head, rows }: Table): Block => ({ kind: 'table', label: title, head, rows });
  return {
    id: 'meaning',
    title: answers.title,
    blocks: [
      {
        kind: 'text',
        text: 'What `scripts/state.sh` of the kit prints, and every extension attribute, sensor or fact made from it:',
      },
      table(answers),
      ...others.map((one): Block => ({ kind: 'folded', title: one.title, blocks: [table(one)] })),
    ],
  };
}

function seeing(): PageSection {
  return {
    id: 'sees',
    title: 'What the plug-in can see',
    blocks: [
      {
        kind: 'text',
        text: 'At a login without a request: one preference. It writes five log lines and does nothing else. With a request, and only once a profile escrows keys and FileVault is on:',
      },
      {
        kind: 'list',
        ordered: false,
        items: [
          'the **user name and the password** that were just typed. They go to `/usr/bin/fdesetup` through a pipe, and the copy in memory is wiped before the login goes on. Never a file, an argument, an environment variable or a log line;',
          'the **new key: never**. fdesetup prints it to `/dev/null`; macOS encrypts it for your MDM;',
          'whether a smart card or another token logged in, the time of the key record, and its own settings.',
        ],
      },
      {
        kind: 'text',
        text: 'It opens no network connection and always allows the login. The whole list, which tests hold to the source and to the shipped code, is `docs/security-review.md` of the project.',
      },
    ],
  };
}

function rescue({ kit }: PageInput): PageSection {
  const { values, title } = kit.facts;
  return {
    id: 'rescue',
    title: 'Rescue: nobody can log in',
    blocks: [
      {
        kind: 'text',
        text: `The login entry \`${values.MECHANISM}\` is there and its bundle is not. FileVault’s own unlock, ssh, the MDM and macOS Recovery still work. In this order:`,
      },
      {
        kind: 'list',
        ordered: true,
        items: [
          `**MDM:** push the Uninstall package (\`extras/${kit.extras.uninstall.name}\` in the kit), or the package of ${title} again.`,
          '**ssh, as root:** the commands below.',
          '**macOS 13.3 and later, ssh, as root:** `security authorizationdb reset`. The entries of all other products are lost too.',
          '**macOS Recovery, Terminal:** unlock and mount the data volume, `rm /Volumes/*Data/private/var/db/auth.db*`, restart. The entries of all products are lost.',
        ],
      },
      { kind: 'commands', label: 'Rescue commands for a shell of root', text: rescueCommands(values) },
    ],
  };
}

function removing({ kit }: PageInput): PageSection {
  const { bundle, title } = kit.facts;
  return {
    id: 'remove',
    title: 'Remove it, or go back',
    blocks: [
      {
        kind: 'warning',
        text: 'Never delete the bundle by its path or its receipt while its login entry is there: macOS then lets nobody log in.',
      },
      {
        kind: 'text',
        text: `Run \`"${bundle.path}/Contents/Resources/uninstall.sh"\` as root, or push the Uninstall package. An older release of this project is installed over a newer one; to go back to ${title} 1.0.0, remove this one first. Install over 1.0.0 to upgrade.`,
      },
    ],
  };
}

/** The package as the manifest lists it. */
function fileOf({ files }: Manifest) {
  const file = files.find(({ role }) => role === 'package');
  if (!file) throw new TypeError('the manifest lists no package');
  return file;
}

const shellWord = (text: string) => (/^[\w./+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
