import { inspect } from 'node:util';

const REDACTED = '[secret]';

/**
 * A value that must not reach argv, logs, errors or files.
 *
 * It is wrapped where it enters the program and revealed in the one call that needs it. Printing it in any way (template text,
 * JSON, console, inspection) gives `[secret]`.
 *
 * @example
 * const password = new Secret(env.INSTALLER_P12_PASSWORD);
 * `${password}`      // '[secret]'
 * password.reveal()  // what was wrapped
 */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** Returns what was wrapped. Call it in the argument list of the call that needs it, and keep no copy. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
