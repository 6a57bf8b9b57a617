import type { FactChange, ListChange, PackageComparison } from '../compare/compare.ts';
import type { Block, PageSection } from './blocks.ts';

/** Returns what changed since the release before, and what of it asks an admin to do something. */
export function changesSection({ comparison }: { readonly comparison: PackageComparison | null }): PageSection {
  const blocks: Block[] =
    comparison === null
      ? [
          {
            kind: 'text',
            text: 'No earlier package was given to compare this one with; the changelog says what is new. `npm run -s cli -- compare OLD.pkg NEW.pkg` shows the difference to any package.',
          },
        ]
      : changeBlocks(comparison);
  return { id: 'changes', title: 'What changed, and do I need to act?', blocks };
}

function changeBlocks(comparison: PackageComparison): Block[] {
  const actions = actionsFor(comparison);
  const verdict: Block[] =
    actions.length === 0
      ? [{ kind: 'text', text: '**No.** Install it over the release before; nothing that you have set up changes.' }]
      : [
          { kind: 'text', text: '**Yes:**' },
          { kind: 'list', ordered: false, items: actions },
        ];
  const rows = [
    ...factRows(comparison.identity),
    ...factRows(comparison.installation),
    ...listRows('mechanism', comparison.mechanisms),
    ...listRows('setting in scripts', comparison.settings),
    ...comparison.components.flatMap(({ identifier, change, facts, files, scripts }) => [
      ...(change === 'changed' ? [] : [[`component ${identifier}`, change] as const]),
      ...(change === 'changed' ? factRows(facts) : []),
      ...scripts.map(({ path, change: how }) => [`script \`${path}\``, how] as const),
      ...files.map(
        ({ path, change: how, facts: changed }) => [`file \`${path}\``, `${how}${slices(changed)}`] as const,
      ),
    ]),
  ];
  return [
    { kind: 'text', text: `Compared: \`${comparison.old}\` and \`${comparison.new}\`.` },
    ...verdict,
    {
      kind: 'folded',
      title: `Everything that differs: ${rows.length} things`,
      blocks: [{ kind: 'table', label: 'What differs', head: ['what', 'how'], rows }],
    },
  ];
}

/** Returns a sentence for each change that something an admin has set up may depend on. */
export function actionsFor({ identity, installation, components, mechanisms, settings }: PackageComparison): string[] {
  const fact = (list: readonly FactChange[], name: string) => list.find((change) => change.name === name);
  const actions: string[] = [];
  const say = (when: unknown, text: string) => when && actions.push(text);
  const signer = fact(identity, 'signed by');
  say(
    signer,
    `Another signer (${oldToNew(signer)}): replace the profile for the background item, allow lists, the AutoPkg recipe and the Installomator label by those of this kit.`,
  );
  say(
    fact(identity, 'identifier'),
    `Another package identifier (${oldToNew(fact(identity, 'identifier'))}): the MDM takes it for another product.`,
  );
  say(
    components.some(({ change }) => change !== 'changed'),
    'A component came or went: what looks for its receipt must look for another.',
  );
  say(
    fact(installation, 'oldest macOS'),
    `Another oldest macOS (${oldToNew(fact(installation, 'oldest macOS'))}): adapt the group that gets it.`,
  );
  say(fact(installation, 'architectures'), `Other architectures (${oldToNew(fact(installation, 'architectures'))}).`);
  const differs = ({ removed, added }: ListChange) => removed.length + added.length > 0;
  say(differs(mechanisms), 'The scripts name other entries of the login: pilot it beside your other login plug-ins.');
  say(
    settings.removed.length > 0,
    `Settings that scripts no longer name: ${settings.removed.map(code).join(', ')}. See the table of settings.`,
  );
  const hasNewCode = components.some(({ files }) =>
    files.some(({ facts }) => facts.some(({ name }) => name.endsWith(' cdhash'))),
  );
  say(hasNewCode, 'Only if you allow code by its cdhash: the cdhashes are new.');
  return actions;
}

const oldToNew = (change: FactChange | undefined) => `${change?.old ?? 'none'} → ${change?.new ?? 'none'}`;
const code = (text: string) => `\`${text}\``;

const factRows = (changes: readonly FactChange[]) => changes.map((change) => [change.name, oldToNew(change)] as const);

const listRows = (name: string, { removed, added }: ListChange) => [
  ...removed.map((word) => [`${name} ${code(word)}`, 'removed'] as const),
  ...added.map((word) => [`${name} ${code(word)}`, 'added'] as const),
];

/** Returns the slices of a program whose signature is another one. */
function slices(facts: readonly FactChange[]): string {
  const names = facts.flatMap(({ name }) => (name.endsWith(' cdhash') ? [name.slice(0, -' cdhash'.length)] : []));
  return names.length === 0 ? '' : `, new cdhash: ${names.join(', ')}`;
}
