/** One thing that is not as it should be. */
export interface Finding {
  /** Stable, for programs: `CERTIFICATE_EXPIRED`. */
  readonly code: string;
  /** An error makes the whole thing untrusted; a warning is for a person to read. */
  readonly severity: 'error' | 'warning';
  /** What is wrong with what, with what was expected and found. */
  readonly message: string;
}

/** Returns an error finding. */
export const failure = (code: string, message: string): Finding => ({ code, severity: 'error', message });
/** Returns a warning. */
export const warning = (code: string, message: string): Finding => ({ code, severity: 'warning', message });
/** Says whether none of the findings is an error. */
export const acceptable = (findings: readonly Finding[]): boolean => findings.every((one) => one.severity !== 'error');
