import { FormatError } from '../../base/errors.ts';
import type { Requirement, RequirementMatch } from './requirement.ts';

/**
 * Returns the tree of a requirement that is written in Apple's requirement language.
 *
 * Takes what codesign takes, but for certificates in files, dates and sets of requirements, which nothing of ours writes.
 *
 * @throws FormatError `REQUIREMENT_TEXT` with the offset of the character that does not fit
 * @see Security-61901 requirements.grammar; TN3127 "Inside Code Signing: Requirements"
 * @example parseRequirementText('anchor apple generic') // { op: 'anchorAppleGeneric' }
 */
export function parseRequirementText(text: string): Requirement {
  const tokens = new Tokens(text);
  const requirement = expression(tokens);
  while (tokens.takes(';'));
  tokens.end();
  return requirement;
}

type Kind = 'word' | 'string' | 'integer' | 'hash' | 'hex' | 'sign' | 'end';
interface Token {
  readonly kind: Kind;
  readonly text: string;
  readonly offset: number;
}

/** White space and the three kinds of comments. */
const FLUFF = /(?:[ \t\r\n]|\/\*[\s\S]*?\*\/|\/\/[^\n]*|#[^\n]*)*/y;
/** In this order: `H"` begins a hash before it is a word. A backslash may only stand before a quote. */
const TOKENS: readonly (readonly [Kind, RegExp])[] = [
  ['hash', /H"([0-9a-fA-F]*)"/y],
  ['hex', /0x([0-9a-fA-F]+)/y],
  ['word', /([A-Za-z][A-Za-z0-9]*(?:\.(?:[A-Za-z][A-Za-z0-9]*|[0-9]+))*)/y],
  ['integer', /([0-9]+)/y],
  ['string', /"((?:[^"\\]|\\")*)"/y],
  ['sign', /(==|<=|>=|[=()[\]!~<>*;-])/y],
];

/** Words of the language, which are not names without quotes. */
const KEYWORDS: ReadonlySet<string> = new Set(
  `absent always anchor and apple cdhash cert certificate designated entitlement exists false generic guest host identifier
   info leaf legacy library never notarized or platform plugin root timestamp true trusted`.split(/\s+/),
);

class Tokens {
  readonly #text: string;
  #at = 0;
  #next: Token;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#read();
  }

  get next(): Token {
    return this.#next;
  }

  /** Takes a sign or keyword when it comes next. */
  takes(...words: readonly string[]): boolean {
    const { kind, text } = this.#next;
    if ((kind !== 'sign' && kind !== 'word') || !words.includes(text)) return false;
    this.#next = this.#read();
    return true;
  }

  take(kind: Kind): string {
    const { text, kind: found } = this.#next;
    if (found !== kind) throw this.unexpected(kind);
    this.#next = this.#read();
    return text;
  }

  /** A name or other text: a word that is not a keyword, or a quoted string. */
  name(): string {
    if (this.hasName()) return this.take(this.#next.kind);
    throw this.unexpected('a name');
  }

  hasName(): boolean {
    const { kind, text } = this.#next;
    return kind === 'string' || (kind === 'word' && !KEYWORDS.has(text));
  }

  require(sign: string): void {
    if (!this.takes(sign)) throw this.unexpected(sign);
  }

  end(): void {
    if (this.#next.kind !== 'end') throw this.unexpected('the end');
  }

  unexpected(expected: string): FormatError {
    const { text, offset } = this.#next;
    return invalid(offset, `expected ${expected}, found ${text === '' ? 'the end' : JSON.stringify(text)}`);
  }

  /** The name in brackets goes back to the reader when it turns out to be an expression. */
  mark(): () => void {
    const [at, next] = [this.#at, this.#next];
    return () => {
      this.#at = at;
      this.#next = next;
    };
  }

  #read(): Token {
    FLUFF.lastIndex = this.#at;
    FLUFF.exec(this.#text);
    const offset = FLUFF.lastIndex;
    if (offset >= this.#text.length) return { kind: 'end', text: '', offset };
    for (const [kind, pattern] of TOKENS) {
      pattern.lastIndex = offset;
      const found = pattern.exec(this.#text);
      if (!found) continue;
      this.#at = pattern.lastIndex;
      const text = found[1] as string;
      return { kind, text: kind === 'string' ? text.replaceAll('\\"', '"') : text, offset };
    }
    throw invalid(offset, `unexpected ${JSON.stringify(this.#text[offset])}`);
  }
}

function expression(tokens: Tokens): Requirement {
  let left = term(tokens);
  while (tokens.takes('or')) left = { op: 'or', left, right: term(tokens) };
  return left;
}

function term(tokens: Tokens): Requirement {
  let left = primary(tokens);
  while (tokens.takes('and')) left = { op: 'and', left, right: primary(tokens) };
  return left;
}

function primary(tokens: Tokens): Requirement {
  if (tokens.takes('!')) return { op: 'not', operand: primary(tokens) };
  if (tokens.takes('(')) return parenthesized(tokens);
  if (tokens.takes('always', 'true')) return { op: 'true' };
  if (tokens.takes('never', 'false')) return { op: 'false' };
  if (tokens.takes('notarized')) return { op: 'notarized' };
  if (tokens.takes('legacy')) return { op: 'legacyDeveloperId' };
  if (tokens.takes('anchor')) return anchor(tokens);
  if (tokens.takes('certificate', 'cert')) return certificate(tokens);
  if (tokens.takes('info')) return { op: 'infoPlistField', key: bracketed(tokens), match: matchSuffix(tokens) };
  if (tokens.takes('entitlement')) return { op: 'entitlement', key: bracketed(tokens), match: matchSuffix(tokens) };
  if (tokens.takes('identifier')) return { op: 'identifier', value: afterEqual(tokens, () => tokens.name()) };
  if (tokens.takes('cdhash')) return { op: 'cdHash', hash: afterEqual(tokens, () => hash(tokens)) };
  if (tokens.takes('platform')) return { op: 'platform', platform: afterEqual(tokens, () => integer(tokens)) };
  throw tokens.unexpected('a requirement');
}

/** A name alone in parentheses stands for a requirement of that name. */
function parenthesized(tokens: Tokens): Requirement {
  const back = tokens.mark();
  if (tokens.hasName()) {
    const name = tokens.name();
    if (tokens.takes(')')) return { op: 'namedCode', name };
    back();
  }
  const inner = expression(tokens);
  tokens.require(')');
  return inner;
}

function anchor(tokens: Tokens): Requirement {
  if (tokens.takes('trusted')) return { op: 'trustedCertificates' };
  if (tokens.takes('generic')) {
    tokens.require('apple');
    return { op: 'anchorAppleGeneric' };
  }
  if (!tokens.takes('apple')) return certificateInSlot(tokens, -1);
  if (tokens.takes('generic')) return { op: 'anchorAppleGeneric' };
  return tokens.hasName() ? { op: 'namedAnchor', name: tokens.name() } : { op: 'anchorApple' };
}

function certificate(tokens: Tokens): Requirement {
  if (tokens.takes('trusted')) return { op: 'trustedCertificates' };
  const slot = slotOf(tokens);
  return tokens.takes('trusted') ? { op: 'trustedCertificate', slot } : certificateInSlot(tokens, slot);
}

function slotOf(tokens: Tokens): number {
  if (tokens.takes('leaf')) return 0;
  if (tokens.takes('root')) return -1;
  return tokens.takes('-') ? -integer(tokens) : integer(tokens);
}

function certificateInSlot(tokens: Tokens, slot: number): Requirement {
  if (!(tokens.next.kind === 'sign' && tokens.next.text === '['))
    return { op: 'certificateHash', slot, sha1: afterEqual(tokens, () => hash(tokens)) };
  const { offset } = tokens.next;
  const key = bracketed(tokens);
  const [prefix = '', ...rest] = key.split('.');
  const oid = rest.join('.');
  if (prefix === 'subject') return { op: 'certificateField', slot, field: key, match: matchSuffix(tokens) };
  if (!['field', 'extension', 'policy'].includes(prefix) || !/^[0-2](\.\d+)+$/.test(oid))
    throw invalid(offset, `${JSON.stringify(key)} is not an element of a certificate`);
  const op = prefix === 'policy' ? 'certificatePolicy' : 'certificateExtension';
  return { op, slot, oid, match: matchSuffix(tokens) };
}

function bracketed(tokens: Tokens): string {
  tokens.require('[');
  const key = tokens.name();
  tokens.require(']');
  return key;
}

const COMPARISONS = { '<': 'lessThan', '>': 'greaterThan', '<=': 'lessEqual', '>=': 'greaterEqual' } as const;

function matchSuffix(tokens: Tokens): RequirementMatch {
  if (tokens.takes('absent')) return { kind: 'absent' };
  if (tokens.takes('=', '==')) {
    const front = tokens.takes('*');
    const value = dataValue(tokens);
    const behind = tokens.takes('*');
    const kind = front && behind ? 'contains' : front ? 'endsWith' : behind ? 'beginsWith' : 'equal';
    return { kind, value };
  }
  if (tokens.takes('~')) return { kind: 'contains', value: dataValue(tokens) };
  for (const [sign, kind] of Object.entries(COMPARISONS))
    if (tokens.takes(sign)) return { kind, value: dataValue(tokens) };
  tokens.takes('exists');
  return { kind: 'exists' };
}

/** An equal sign, one or two, may be left out before a value that can only be one. */
function afterEqual<T>(tokens: Tokens, value: () => T): T {
  tokens.takes('=', '==');
  return value();
}

function dataValue(tokens: Tokens): string {
  if (tokens.next.kind !== 'hex') return tokens.name();
  const { offset } = tokens.next;
  const digits = tokens.take('hex');
  if (digits.length % 2 !== 0) throw invalid(offset, 'an odd number of hexadecimal digits');
  return Buffer.from(digits, 'hex').toString('utf8');
}

function hash(tokens: Tokens): Buffer {
  const { offset } = tokens.next;
  const digits = tokens.take('hash');
  if (digits.length !== 40) throw invalid(offset, `a hash of ${digits.length} digits, expected 40`);
  return Buffer.from(digits, 'hex');
}

function integer(tokens: Tokens): number {
  return Number(tokens.take('integer'));
}

function invalid(offset: number, problem: string): FormatError {
  return new FormatError('REQUIREMENT_TEXT', 'RequirementText', offset, problem);
}
