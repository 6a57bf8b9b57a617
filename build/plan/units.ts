import { InvalidArgumentError } from 'commander';

const DURATIONS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Returns a duration in milliseconds, for the command line.
 *
 * @throws InvalidArgumentError for anything but a number with s, m or h behind it
 * @example parseDuration('30m') // 1800000
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})([smh])$/.exec(text);
  if (!match) throw new InvalidArgumentError('Allowed is a number with s, m or h behind it, such as 30m.');
  return Number(match[1]) * (DURATIONS[match[2] as string] as number);
}

const SIZES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/**
 * Returns a size in bytes, for the command line.
 *
 * @throws InvalidArgumentError for anything but a number with K, M, G or T behind it
 * @example parseSize('50G') // 53687091200
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,4})([KMGT])$/.exec(text);
  if (!match) throw new InvalidArgumentError('Allowed is a number with K, M, G or T behind it, such as 50G.');
  return Number(match[1]) * (SIZES[match[2] as string] as number);
}
