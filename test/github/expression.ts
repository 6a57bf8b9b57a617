/** What expressions can name: contexts of GitHub Actions, nested. */
export type Contexts = Readonly<Record<string, unknown>>;

/** What the status functions of a condition answer. @see https://docs.github.com/actions/reference/workflows-and-actions/expressions */
export interface Status {
  readonly success: boolean;
  readonly failure: boolean;
  readonly cancelled: boolean;
}

/**
 * Returns text with every `${{ ... }}` put in.
 *
 * @throws Error for syntax, functions and contexts that the replay does not know: nothing is passed over
 */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) => textOf(evaluate(expression, contexts)));
}

/**
 * Returns whether a job or step runs. Without a status function in it a condition also asks for `success()`.
 *
 * @param condition value of `if`; with or without `${{ }}` around it
 */
export function holds(condition: unknown, contexts: Contexts, status: Status): boolean {
  const given = condition === undefined ? 'success()' : String(condition);
  const inner = /^\s*\$\{\{(.*)\}\}\s*$/.exec(given)?.[1] ?? given;
  if (inner.includes('${{')) throw new Error(`an expression inside a condition, which is always true: ${given}`);
  const parser = new Parser(inner, contexts, status);
  const value = truth(parser.whole());
  return parser.asksForStatus ? value : value && status.success;
}

/** Returns the value of an expression without status functions. */
export function evaluate(expression: string, contexts: Contexts): unknown {
  return new Parser(expression, contexts).whole();
}

const TOKEN = /\s*(?:('(?:[^']|'')*')|(\d+(?:\.\d+)?)(?![\w.])|([A-Za-z_][\w-]*)|(&&|\|\||==|!=|[!()[\].,]))/y;

const tokensOf = new Map<string, readonly string[]>();

/** Reads an expression from left to right; everything is evaluated, as nothing in it has an effect. */
class Parser {
  asksForStatus = false;
  readonly #tokens: readonly string[];
  readonly #contexts: Contexts;
  readonly #status: Status | undefined;
  readonly #source: string;
  #at = 0;

  constructor(source: string, contexts: Contexts, status?: Status) {
    this.#source = source;
    this.#contexts = contexts;
    this.#status = status;
    this.#tokens = tokensOf.get(source) ?? this.#read(source);
    tokensOf.set(source, this.#tokens);
  }

  #read(source: string): string[] {
    const tokens: string[] = [];
    TOKEN.lastIndex = 0;
    while (source.slice(TOKEN.lastIndex).trim() !== '') {
      const match = TOKEN.exec(source);
      if (!match) throw this.#unknown();
      tokens.push(match[0].trim());
    }
    return tokens;
  }

  whole(): unknown {
    const value = this.#either();
    if (this.#at !== this.#tokens.length) throw this.#unknown();
    return value;
  }

  #either(): unknown {
    let left = this.#both();
    while (this.#take('||')) {
      const right = this.#both();
      left = truth(left) ? left : right;
    }
    return left;
  }

  #both(): unknown {
    let left = this.#comparison();
    while (this.#take('&&')) {
      const right = this.#comparison();
      left = truth(left) ? right : left;
    }
    return left;
  }

  #comparison(): unknown {
    const left = this.#unary();
    if (this.#take('==')) return same(left, this.#unary());
    if (this.#take('!=')) return !same(left, this.#unary());
    return left;
  }

  #unary(): unknown {
    return this.#take('!') ? !truth(this.#unary()) : this.#operand();
  }

  #operand(): unknown {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw this.#unknown();
    if (token === '(') {
      const value = this.#either();
      this.#expect(')');
      return value;
    }
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (/^\d/.test(token)) return Number(token);
    if (!/^[A-Za-z_]/.test(token)) throw this.#unknown();
    if (token === 'true' || token === 'false') return token === 'true';
    if (token === 'null') return null;
    if (this.#take('(')) return this.#call(token);
    if (!Object.hasOwn(this.#contexts, token)) throw new Error(`a context that the replay does not know: ${token}`);
    return this.#path(this.#contexts[token]);
  }

  #path(start: unknown): unknown {
    let value = start;
    for (;;) {
      if (this.#take('.')) {
        const word = this.#tokens[this.#at++] ?? '';
        if (!/^[A-Za-z_]/.test(word)) throw this.#unknown();
        value = member(value, word);
      } else if (this.#take('[')) {
        value = member(value, textOf(this.#either()));
        this.#expect(']');
      } else return value ?? null;
    }
  }

  #call(name: string): unknown {
    const given: unknown[] = [];
    while (!this.#take(')')) {
      if (given.length > 0) this.#expect(',');
      given.push(this.#either());
    }
    if (['always', 'success', 'failure', 'cancelled'].includes(name) && given.length === 0 && this.#status) {
      this.asksForStatus = true;
      return name === 'always' ? true : this.#status[name as keyof Status];
    }
    const [whole, part] = given.map((value) => textOf(value).toLowerCase());
    if (given.length !== 2 || whole === undefined || part === undefined) throw this.#unknown();
    if (name === 'contains') return whole.includes(part);
    if (name === 'startsWith') return whole.startsWith(part);
    if (name === 'endsWith') return whole.endsWith(part);
    throw this.#unknown();
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unknown();
  }

  #unknown(): Error {
    return new Error(`an expression that the replay does not know: ${this.#source}`);
  }
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return null;
  const found = Object.keys(value).find((key) => key.toLowerCase() === name.toLowerCase());
  return found === undefined ? null : (value as Record<string, unknown>)[found];
}

function truth(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== '' && value !== 0;
}

/** Text is compared without case; values of two kinds as numbers. */
function same(left: unknown, right: unknown): boolean {
  if (typeof left === 'string' && typeof right === 'string') return left.toLowerCase() === right.toLowerCase();
  if (typeof left === typeof right) return left === right;
  return number(left) === number(right);
}

function number(value: unknown): number {
  if (value === null) return 0;
  if (typeof value === 'string') return value === '' ? 0 : Number(value);
  return typeof value === 'object' ? Number.NaN : Number(value);
}

function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) throw new Error('an object where text is wanted');
  return String(value ?? '');
}
