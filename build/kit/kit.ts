import { renderJson } from './render.ts';
import { rescueCard } from './rescue-card.ts';
import { KIT_SCRIPTS } from './scripts.ts';
import type { KitInput, KitSystem } from './system.ts';
import { SYSTEMS } from './systems.ts';
import type { Vocabulary } from './vocabulary.ts';
import { renderTable, vocabularyTables } from './vocabulary-tables.ts';
import type { KitFile } from './zip.ts';

/** Name of the list of what belongs to what. */
export const KIT_FILE = 'kit.json';

/**
 * Returns every generated file of the kit: a folder a system, the scripts, and what was found out about each way to install.
 *
 * The same input gives the same bytes, so that a kit can be checked against a package by making it again.
 */
export function kitFiles(
  input: KitInput,
  { readme, vocabulary }: { readonly readme: string; readonly vocabulary: Vocabulary },
): KitFile[] {
  const texts: Record<string, string | Buffer> = {
    'README.md': `${readme.trimEnd()}\n\n${systemsTable()}`,
    'vocabulary.md': vocabularyPage(vocabulary, input),
    'rescue-card.html': rescueCard(input.facts, input.extras),
    [KIT_FILE]: renderJson(kitDocument(input)),
    'compatibility.json': renderJson({
      schema: 1,
      package: input.facts.file.name,
      systems: SYSTEMS.map((system) => compatibility(system, input)),
    }),
  };
  for (const name of KIT_SCRIPTS) texts[`scripts/${name}.sh`] = input.scripts[name];
  for (const system of SYSTEMS) {
    texts[`${system.folder}/README.md`] = systemReadme(system, input);
    for (const [path, text] of Object.entries(system.files(input))) texts[`${system.folder}/${path}`] = text;
  }
  return Object.entries(texts).map(([path, text]) => ({
    path,
    data: typeof text === 'string' ? Buffer.from(text) : text,
  }));
}

/** Which package the kit belongs to, and the packages inside it. */
function kitDocument({ facts, url, extras }: KitInput) {
  return {
    schema: 1,
    product: facts.title,
    version: facts.version,
    url,
    package: { name: facts.file.name, size: facts.file.size, sha256: facts.file.sha256 },
    extras: Object.values(extras).map(({ name, size, sha256 }) => ({ path: `extras/${name}`, size, sha256 })),
  };
}

function compatibility({ name, folder, paths }: KitSystem, input: KitInput) {
  return {
    name,
    folder,
    paths: paths.map((path) => {
      const rules = path.rules.map(({ rule, source, problem }) => {
        const reason = problem(input);
        return {
          rule,
          source,
          status: reason === undefined ? 'pass' : 'fail',
          ...(reason === undefined ? {} : { reason }),
        };
      });
      return { name: path.name, meetsRules: rules.every(({ status }) => status === 'pass'), rules };
    }),
  };
}

function systemReadme(system: KitSystem, input: KitInput): string {
  const { escrow, package: install, request, check, remove } = system.steps(input);
  const files = Object.keys(system.files(input)).sort();
  return `# ${input.facts.title} ${input.facts.version} with ${system.name}

1. **Escrow profile.** ${escrow}
2. **Package.** ${install}
3. **Request.** ${request}
4. **Check.** ${check}

**To remove it:** ${remove}

A new key is made at a *login* (log out and in, or restart); unlocking the screen is none.

${files.map((file) => `- \`${file}\``).join('\n')}
`;
}

/** Every word that a Mac may say, with what it means. */
function vocabularyPage(vocabulary: Vocabulary, { facts }: KitInput): string {
  const tables = Object.values(vocabularyTables(vocabulary, facts.version));
  const parts = tables.map((table) => `## ${table.title}\n\n${renderTable(table)}\n`);
  return `# What a Mac with ${facts.title} ${facts.version} says\n\n${parts.join('\n')}`;
}

function systemsTable(): string {
  const rows = SYSTEMS.map(
    ({ name, folder, paths }) =>
      `| ${name} | [${folder}/](${folder}/README.md) | ${paths.map((path) => path.name).join(', ')} |`,
  );
  return `## Systems\n\n| system | folder | ways to install |\n|---|---|---|\n${rows.join('\n')}\n\nWhether this package meets the rules of each way: \`compatibility.json\`.\n`;
}
