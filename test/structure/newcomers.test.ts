import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

/** Files that a document names in backticks or links to; patterns and names of a Mac are left out. */
function named(document: string): string[] {
  const text = readFileSync(document, 'utf8');
  const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => join(dirname(document), path as string));
  const words = [...text.matchAll(/`((?:src|build|test|docs|scripts|payload)\/[\w./-]+)`/g)].map(
    ([, path]) => path as string,
  );
  return [...links, ...words];
}

describe('what a newcomer reads', () => {
  it('README is for a person with two minutes', () => {
    expect(readFileSync('README.md', 'utf8').split('\n').length).toBeLessThanOrEqual(91);
  });

  it.each(['README.md', 'CONTRIBUTING.md', 'docs/glossary.md'])('%s names what is there', (document) => {
    const paths = named(document).filter((path) => !/[*]|-$/.test(path));
    expect(paths.length).toBeGreaterThan(3);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });
});

describe('the forms of an issue', () => {
  const folder = '.github/ISSUE_TEMPLATE';
  const forms = readdirSync(folder).filter((name) => name !== 'config.yml');

  // Source: docs.github.com, syntax for GitHub's form schema.
  it.each(forms)('%s has what GitHub asks of one', (name) => {
    const form = parse(readFileSync(join(folder, name), 'utf8'));
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String), body: expect.any(Array) });
    const fields = form.body.filter(({ type }: { type: string }) => type !== 'markdown');
    expect(fields.length).toBeGreaterThan(0);
    const ids = fields.map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(fields.length);
    for (const { type, attributes } of form.body) {
      expect(['markdown', 'input', 'textarea', 'dropdown', 'checkboxes']).toContain(type);
      expect(typeof (type === 'markdown' ? attributes.value : attributes.label)).toBe('string');
    }
  });
});
