/** Questions that a person asks of a package, in the order of the report. */
export const GROUPS = {
  signed: 'Who signed it',
  notarized: 'Is it notarized',
  installs: 'What it installs',
  runs: 'What it runs',
  whole: 'Is it whole',
  policy: 'Your policy',
} as const;

export type GroupName = keyof typeof GROUPS;

/** What is to be known of one check. */
export interface CheckGuide {
  readonly group: GroupName;
  /** What it protects from. */
  readonly protects: string;
  /** What to do when it fails. */
  readonly todo: string;
}

const AGAIN = 'Fetch the package again from its publisher; when it stays so, do not install it.';
const PUBLISHER = 'Do not install it; ask the publisher for a package that is signed anew.';
const REBUILD = 'Ask the publisher: the package has to be built anew.';
const OURS = 'It is not what this project makes. Build it anew, or fetch it from the release page; do not install it.';
const DECIDE = 'Decide with your own rules; nothing is damaged.';

const of = (group: GroupName, protects: string, todo: string): CheckGuide => ({ group, protects, todo });

/** Every check that a report can hold. docs/verifying.md has the same as a table. */
export const CHECK_GUIDE: Readonly<Record<string, CheckGuide>> = {
  'package-signature': of('signed', 'a package that nobody signed', PUBLISHER),
  'package-rsa': of('signed', 'a first signature over another table of contents, or by another key', AGAIN),
  'package-cms': of(
    'signed',
    'a second signature, which is the one that macOS looks at, over other contents or by another key',
    AGAIN,
  ),
  'package-padding': of(
    'signed',
    'bytes hidden behind the signature',
    'Of others: only a note. Of ours: fetch it again.',
  ),
  'package-timestamp': of('signed', 'a signature made after its certificate ended or was stolen', PUBLISHER),
  'package-chain': of(
    'signed',
    'a certificate that Apple did not issue',
    'Do not install it. A rehearsal is believed with --trust rehearsal alone.',
  ),
  'package-role': of('signed', 'a certificate for another purpose, such as for code', PUBLISHER),
  'package-key-info': of('signed', 'certificates shown beside the signature that are not those that signed', AGAIN),
  'package-our-team': of(
    'signed',
    'a package in our name by another team',
    'Do not install it; report it to this project.',
  ),
  ticket: of(
    'notarized',
    'a ticket of the notary for another package, or one that is forged',
    'Staple it anew: npm run -s cli -- staple FILE.',
  ),
  'trailing-bytes': of(
    'notarized',
    'bytes behind the archive that are not a ticket',
    'Of others: only a note. Of ours: fetch it again.',
  ),
  distribution: of('installs', 'references that lead elsewhere, choices that are not there', REBUILD),
  'package-info': of('installs', 'bundles that are named and not there, settings that are not ours', REBUILD),
  'host-architectures': of('installs', 'scripts that run under Rosetta although the code does not need it', REBUILD),
  'bom-payload': of('installs', 'files that the receipt does not list, or lists otherwise', REBUILD),
  'payload-counters': of('installs', 'a wrong number of files or size shown by Installer', DECIDE),
  'owners-modes': of('installs', 'files that others may write to, or that belong to others', REBUILD),
  'payload-paths': of('installs', 'files that do not belong in our package', OURS),
  'code-signatures': of(
    'installs',
    'code that nobody checked',
    'Read the reason: it says what was looked for and what was found.',
  ),
  'bundle-places': of('installs', 'files in a bundle that no signature covers', PUBLISHER),
  'bundle-info': of('installs', 'a bundle whose Info.plist does not say what it is', PUBLISHER),
  seal: of('installs', 'a bundle without a list of its resources', PUBLISHER),
  'seal-added': of('installs', 'a file put into a bundle after it was signed', AGAIN),
  'seal-removed': of('installs', 'a file taken out of a bundle after it was signed', AGAIN),
  'seal-changed': of('installs', 'a file of a bundle changed after it was signed', AGAIN),
  'seal-links': of('installs', 'a link of a bundle that leads elsewhere since it was signed', AGAIN),
  'seal-nested': of('installs', 'code inside a bundle that is not the code that was sealed', AGAIN),
  'code-universal': of('installs', 'slices that hide something between or behind them', PUBLISHER),
  'code-macho': of('installs', 'code that macOS reads in another way', PUBLISHER),
  'code-bind-tables': of('installs', 'code that macOS 27 refuses to load', REBUILD),
  'code-layout': of('installs', 'code without a signature, or with bytes outside of it', PUBLISHER),
  'code-super-blob': of('installs', 'parts of a signature that nothing seals', PUBLISHER),
  'code-padding': of('installs', 'bytes hidden behind the signature of code', PUBLISHER),
  'code-directory': of('installs', 'a list of hashes that is not about this code', PUBLISHER),
  'code-pages': of('installs', 'code changed after it was signed', AGAIN),
  'code-slots': of('installs', 'an Info.plist, requirement or entitlement changed since it was signed', AGAIN),
  'code-cms': of('installs', 'code signed by nobody, or by another key', PUBLISHER),
  'code-cdhash-attributes': of('installs', 'several lists of hashes of which only one was signed', PUBLISHER),
  'code-chain': of('installs', 'code signed with a certificate that Apple did not issue', PUBLISHER),
  'code-timestamp': of('installs', 'code signed after its certificate ended or was stolen', PUBLISHER),
  'code-team': of('installs', 'code that names another team than its certificate', PUBLISHER),
  'code-designated-requirement': of(
    'installs',
    'code that does not meet its own requirement: updates and rules would not know it',
    PUBLISHER,
  ),
  'code-slices-agree': of('installs', 'slices by different signers, or sealing different files', PUBLISHER),
  'code-in-archives': of(
    'installs',
    'code inside an archive of the payload that this program does not open',
    'Only a note: open the archive by hand.',
  ),
  'code-nested': of('installs', 'code inside code that is not checked', 'Read the reason; open the bundle by hand.'),
  'code-our-team': of(
    'installs',
    'code of another team in our package',
    'Do not install it; report it to this project.',
  ),
  scripts: of('runs', 'scripts that are missing, cannot run, or that nothing names', REBUILD),
  'scripts-interpreter': of('runs', 'scripts for an interpreter that Macs do not have', REBUILD),
  'form-scripts': of('runs', 'a Scripts archive that is not, byte for byte, what we write', OURS),
  'form-script-names': of('runs', 'one of our scripts in the place of another', OURS),
  'xar-structure': of('whole', 'a file that is not a package, or that readers read in different ways', AGAIN),
  'one-meaning': of('whole', 'names and places that one reader takes for one thing and another for two', REBUILD),
  'toc-checksum': of('whole', 'a table of contents changed after it was made', AGAIN),
  'member-checksums': of('whole', 'contents changed after they were listed', AGAIN),
  members: of('whole', 'members that do not belong in our package', OURS),
  'heap-gaps': of(
    'whole',
    'bytes inside the archive that belong to nothing',
    'Of others: only a note. Of ours: fetch it again.',
  ),
  'package-contents': of('whole', 'documents that cannot be read', REBUILD),
  'form-header': of('whole', 'a header with room for more than we write', OURS),
  'form-signature': of('whole', 'a signature that holds more than our signer writes', OURS),
  'form-toc': of('whole', 'a table of contents that is not, byte for byte, what we write', OURS),
  'form-distribution': of(
    'whole',
    'a Distribution that is not, byte for byte, what we write: JavaScript, other packages, other places',
    OURS,
  ),
  'form-package-info': of('whole', 'a PackageInfo that is not, byte for byte, what we write', OURS),
  'form-bom': of('whole', 'a Bom that is not, byte for byte, what we write', OURS),
  'form-payload': of('whole', 'a Payload whose headers, order or padding are not what we write', OURS),
  'form-code': of('whole', 'a code signature that is not what our signer makes of the same certificate', OURS),
  'policy-team': of('policy', 'a package, or code in it, by a team that you do not allow', DECIDE),
  'policy-minimum-macos': of('policy', 'a package that refuses a macOS you still have', DECIDE),
  'policy-paths': of('policy', 'files outside of the folders that you allow', DECIDE),
  'policy-mechanisms': of('policy', 'entries of authorization rights that you do not allow', DECIDE),
  'policy-forbidden': of('policy', 'abilities that you forbid', DECIDE),
};

/** Returns the group of a check; one that nobody has described yet counts as being about the whole. */
export function groupOf(id: string): GroupName {
  return CHECK_GUIDE[id]?.group ?? 'whole';
}
