import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Primitive types of Rust as clang's LP64 targets for macOS have them. */
const PRIMITIVES: Readonly<Record<string, string>> = {
  u8: 'unsigned char',
  u32: 'unsigned int',
  i32: 'int',
  usize: 'unsigned long',
  isize: 'long',
  c_double: 'double',
  c_char: 'char',
  c_void: 'void',
};

/**
 * Writes C headers from the Rust crates of the objc2 project, whose sources are generated from Apple's headers.
 *
 * Only what is asked for is written; a name that the crates do not have is an error. `NULL`-ability and ownership are dropped.
 */
export class RustHeaders {
  readonly #text: string;
  /** Typedefs that have been written, in the order in which C needs them. */
  readonly #types = new Map<string, string>();

  /** @param crates folders of crates' sources */
  constructor(crates: readonly string[]) {
    const files = crates.flatMap((crate) =>
      readdirSync(join(crate, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.rs'))
        .sort()
        .map((name) => join(crate, 'src', name)),
    );
    this.#text = files
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n')
      .replace(/\/\/.*/g, '');
  }

  /** Returns the typedefs that were needed so far. */
  get typedefs(): string {
    return [...this.#types.values()].join('\n');
  }

  /** Returns `RESULT NAME(TYPES);` of a C function. */
  function(name: string): string {
    const pattern = new RegExp(
      `extern "C-unwind" \\{(?:\\s*#\\[[^\\]]*\\])*\\s*(?:pub )?fn ${name}\\(([^)]*)\\)(?: -> ([^;]+))?;`,
    );
    const [, parameters = '', result] = this.#find(pattern, name);
    const types = split(parameters).map((parameter) => this.c(parameter.slice(parameter.indexOf(':') + 1)));
    return `${result === undefined ? 'void' : this.c(result)} ${name}(${types.join(', ') || 'void'});`;
  }

  /** Returns `extern const TYPE NAME;` of a variable. */
  variable(name: string): string {
    const [, type = ''] = this.#find(new RegExp(`pub static ${name}: ([^;]+);`), name);
    return `extern const ${this.c(type)} ${name};`;
  }

  /** Returns the value of a constant, as the crate writes it. */
  constant(name: string): string {
    const found =
      new RegExp(`doc\\(alias = "${name}"\\)\\]\\s*(?:pub const \\w+: Self = Self\\(([^)]+)\\)|\\w+ = (\\w+),)`).exec(
        this.#text,
      ) ?? this.#find(new RegExp(`pub const ${name}: \\w+ = ([^;]+);`), name);
    return (found[1] ?? found[2]) as string;
  }

  /** Returns a structure with all its fields. */
  struct(name: string): string {
    const [, body = ''] = this.#find(new RegExp(`pub struct ${name} \\{([^}]*)\\}`), name);
    const fields = split(body).map((field) => {
      const [, label = '', type = ''] = /^\s*(?:pub )?(\w+):\s*([\s\S]+)$/.exec(field) ?? [];
      const call = /fn\(([\s\S]*)\) -> (\w+)/.exec(type);
      if (!call) return `  ${this.c(type)} ${label};`;
      const types = split(call[1] as string).map((parameter) => this.c(parameter));
      return `  ${this.c(call[2] as string)} (*${label})(${types.join(', ')});`;
    });
    return `typedef struct ${name} {\n${fields.join('\n')}\n} ${name};`;
  }

  /** Returns the C type of a Rust type, and notes the typedefs it needs. */
  c(rust: string): string {
    const type = rust.trim().replace(/^&'static /, '&');
    const inner = /^(?:Option|NonNull)<(.*)>$/.exec(type)?.[1];
    if (type.startsWith('Option<')) return this.c(inner as string);
    const target = inner ?? /^(?:\*const |\*mut |&)(.*)$/.exec(type)?.[1];
    if (target !== undefined && isObject(target)) return this.#object(target);
    if (type.startsWith('*const ')) return `const ${this.#pointee(type.slice(7))}`;
    if (target !== undefined) return this.#pointee(target);
    return PRIMITIVES[type] ?? this.#alias(type);
  }

  /** `CFString` is an opaque structure: C has `CFStringRef`. */
  #object(name: string): string {
    const plain = name === 'CFPropertyList' ? 'CFType' : name;
    if (plain === 'CFType') return this.#note('CFTypeRef', 'typedef const void *CFTypeRef;');
    return this.#note(`${plain}Ref`, `typedef const struct __${plain} *${plain}Ref;`);
  }

  #pointee(type: string): string {
    return `${this.c(type)} *`;
  }

  #alias(name: string): string {
    if (this.#types.has(name)) return name;
    const found = new RegExp(
      `\\btype ${name} =\\s*([^;]+);|pub struct ${name}\\(pub (\\w+)\\);|repr\\((u32)\\)\\](?:\\s*#\\[[^\\]]*\\])*\\s*pub enum ${name} |pub struct (${name}) \\{`,
    ).exec(this.#text);
    if (!found) throw new Error(`no type ${name} in the crates`);
    if (found[4] !== undefined) return this.#note(name, `typedef struct ${name} ${name};`);
    const type = this.c((found[1] ?? found[2] ?? found[3]) as string);
    return this.#note(name, `typedef ${type} ${name};`);
  }

  #note(name: string, typedef: string): string {
    if (!this.#types.has(name)) this.#types.set(name, typedef);
    return name;
  }

  #find(pattern: RegExp, name: string): RegExpExecArray {
    const found = pattern.exec(this.#text);
    if (!found) throw new Error(`no ${name} in the crates`);
    return found;
  }
}

/** A CoreFoundation object, which C knows by a reference; CFIndex and the like are numbers. */
const isObject = (type: string) => /^CF(Type|PropertyList|Allocator|Array|String|Boolean|Number|Date)$/.test(type);

/** Splits at commas that are within no bracket. */
function split(list: string): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < list.length; at++) {
    const character = list[at] as string;
    if ('(<['.includes(character)) depth++;
    else if (')]'.includes(character) || (character === '>' && list[at - 1] !== '-')) depth--;
    else if (character === ',' && depth === 0) {
      parts.push(list.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, list.slice(start)].filter((part) => part.trim() !== '');
}
