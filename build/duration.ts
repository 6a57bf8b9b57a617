import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Returns a duration in milliseconds, for the command line.
 *
 * @throws InvalidArgumentError for anything but a number with s, m or h behind it
 * @example parseDuration('30m') // 1800000
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})([smh])$/.exec(text);
  if (!match) throw new InvalidArgumentError('Allowed is a number with s, m or h behind it, such as 30m.');
  return Number(match[1]) * (UNITS[match[2] as string] as number);
}
