import type { PropertyListDictionary, PropertyListValue } from '../../xml/property-list.ts';

/** What a rule says of a path: `resource` is hashed, `nested` is code with a signature of its own, `omit` is left alone. */
export interface ResourceRule {
  readonly pattern: string;
  /** The highest one that matches wins. */
  readonly weight: number;
  readonly kind: 'resource' | 'nested' | 'omit';
  /** The file may be missing when the seal is checked. */
  readonly optional: boolean;
}

function rule(pattern: string, weight = 1, kind: ResourceRule['kind'] = 'resource', optional = false): ResourceRule {
  return { pattern, weight, kind, optional };
}

const LOCALIZED = [
  rule('^Resources/.*\\.lproj/', 1000, 'resource', true),
  rule('^Resources/Base\\.lproj/', 1010),
  rule('^Resources/.*\\.lproj/locversion.plist$', 1100, 'omit'),
];

/**
 * The rules that codesign writes into a bundle with a folder `Contents`, versions 1 and 2.
 *
 * @see Security-61901 bundlediskrep.cpp, `defaultResourceRules`; observed in CodeResources of codesign 2017 and 2020
 */
export const RULES_1: readonly ResourceRule[] = [rule('^version.plist$'), rule('^Resources/'), ...LOCALIZED];
export const RULES_2: readonly ResourceRule[] = [
  rule('^.*'),
  rule('^[^/]+$', 10, 'nested'),
  rule(
    '^(Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|Library/(Automator|Spotlight|LoginItems))/',
    10,
    'nested',
  ),
  rule('.*\\.dSYM($|/)', 11),
  rule('^(.*/)?\\.DS_Store$', 2000, 'omit'),
  rule('^Info\\.plist$', 20, 'omit'),
  rule('^PkgInfo$', 20, 'omit'),
  rule('^version\\.plist$', 20),
  rule('^embedded\\.provisionprofile$', 20),
  rule('^Resources/', 20),
  ...LOCALIZED,
];

const FLAT_LOCALIZED = [
  rule('^.*\\.lproj/', 1000, 'resource', true),
  rule('^Base\\.lproj/', 1010),
  rule('^.*\\.lproj/locversion.plist$', 1100, 'omit'),
];

/**
 * The same for a bundle without a folder for resources, where everything is one: nothing in it is nested by its place.
 *
 * @see Security-61901 bundlediskrep.cpp; observed in bundles that Xcode made for iOS
 */
export const FLAT_RULES_1: readonly ResourceRule[] = [rule('^.*'), rule('^version.plist$'), ...FLAT_LOCALIZED];
export const FLAT_RULES_2: readonly ResourceRule[] = [
  rule('^.*'),
  rule('.*\\.dSYM($|/)', 11),
  rule('^(.*/)?\\.DS_Store$', 2000, 'omit'),
  rule('^Info\\.plist$', 20, 'omit'),
  rule('^PkgInfo$', 20, 'omit'),
  rule('^version\\.plist$', 20),
  rule('^embedded\\.provisionprofile$', 20),
  ...FLAT_LOCALIZED,
];
const ALL_RULES = [...RULES_1, ...RULES_2, ...FLAT_RULES_1, ...FLAT_RULES_2];

/**
 * Patterns of the rules as regular expressions. All that is ever matched comes from here: a pattern out of a file could make the
 * matcher run for ever.
 */
const EXPRESSIONS = new Map(ALL_RULES.map(({ pattern }) => [pattern, new RegExp(pattern)]));

/** Returns the rule that decides about a path relative to `Contents`, or null when none of `rules` matches. */
export function ruleFor(path: string, rules: readonly ResourceRule[]): ResourceRule | null {
  let best: ResourceRule | null = null;
  for (const candidate of rules) {
    if (best !== null && candidate.weight <= best.weight) continue;
    if (EXPRESSIONS.get(candidate.pattern)?.test(path)) best = candidate;
  }
  return best;
}

/** Returns rules as CodeResources holds them: `true` for a plain one, else a dictionary. */
export function rulesToPropertyList(rules: readonly ResourceRule[]): PropertyListDictionary {
  return new Map(
    rules.map(({ pattern, weight, kind, optional }): [string, PropertyListValue] => {
      const entry = new Map<string, PropertyListValue>();
      if (kind !== 'resource') entry.set(kind, true);
      if (optional) entry.set('optional', true);
      if (weight !== 1) entry.set('weight', weight);
      return [pattern, entry.size === 0 ? true : entry];
    }),
  );
}

/**
 * Returns the rules that a CodeResources file holds, and the patterns among them that codesign does not write.
 *
 * @param dictionary value of its key `rules` or `rules2`
 */
export function rulesFromPropertyList(dictionary: PropertyListDictionary): {
  rules: ResourceRule[];
  foreign: string[];
} {
  const rules: ResourceRule[] = [];
  const foreign: string[] = [];
  for (const [pattern, value] of dictionary) {
    const found = value instanceof Map ? fromDictionary(pattern, value) : value === true ? rule(pattern) : null;
    // Rules that omit more than codesign's own let files change unseen: Apple refuses them too (errSecCSWeakResourceRules).
    const known = found && ALL_RULES.some((own) => own.pattern === pattern && own.kind === found.kind);
    if (found && known) rules.push(found);
    else foreign.push(pattern);
  }
  return { rules, foreign };
}

function fromDictionary(pattern: string, value: PropertyListDictionary): ResourceRule {
  const weight = value.get('weight') ?? 1;
  const kind = value.get('omit') === true ? 'omit' : value.get('nested') === true ? 'nested' : 'resource';
  return rule(pattern, Number(weight), kind, value.get('optional') === true);
}
