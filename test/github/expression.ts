/** What expressions can name: contexts of GitHub Actions, nested. */
export type Contexts = Readonly<Record<string, unknown>>;

/**
 * Returns text with every `${{ ... }}` put in, as far as our workflows use the language: paths such as
 * `needs.build.outputs.sha256`, comparison with a text, `!cancelled()`.
 *
 * @throws Error for anything else, so that a new kind of expression is noticed
 */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) =>
    String(evaluate(expression, contexts) ?? ''),
  );
}

/** Returns the value of an expression. */
export function evaluate(expression: string, contexts: Contexts): unknown {
  const inner = expression.replace(/^\$\{\{\s*(.*?)\s*\}\}$/, '$1');
  if (inner === '!cancelled()') return true;
  const comparison = /^([\w.-]+) == '([^']*)'$/.exec(inner);
  if (comparison) return String(path(comparison[1] as string, contexts)) === comparison[2];
  if (/^[A-Za-z_][\w-]*(\.[\w-]+)*$/.test(inner)) return path(inner, contexts);
  throw new Error(`an expression that the replay does not know: ${expression}`);
}

function path(words: string, contexts: Contexts): unknown {
  let value: unknown = contexts;
  for (const word of words.split('.')) value = (value as Record<string, unknown> | undefined)?.[word];
  return value;
}
