/** Control characters but the line feed. */
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g;

/** Returns text that comes from a file or a service as it may be shown: it cannot steer the terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL, '?');
}
