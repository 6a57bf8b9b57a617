/** Calls that the rehearsal's services answer. */
export type Endpoint = 'submit' | 'status' | 'history' | 'log' | 'log-file' | 'upload' | 'ticket';

/** Something that a service does wrong on purpose, as services and networks do. */
export type Fault = { readonly at: Endpoint; readonly times?: number } /** Another answer; nothing is done. */ & (
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The right answer, late (milliseconds of real time). */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The connection ends before anything is done. */
  | { readonly kind: 'hang-up' }
  /** All is done, and the connection ends without an answer. */
  | { readonly kind: 'lost' }
  /** All is done, and the connection ends amid the answer. */
  | { readonly kind: 'cut' }
  /** A page of HTML, as of a proxy; nothing is done. */
  | { readonly kind: 'garbage' }
  /** Bytes change on the way: of an upload, of a ticket. */
  | { readonly kind: 'wrong-bytes' }
  /** The upload keys have expired. */
  | { readonly kind: 'expired' }
  /** All is done twice. */
  | { readonly kind: 'duplicate' }
);

/** What goes wrong, in the order in which it does. */
export class FaultScript {
  readonly #left: { fault: Fault; times: number }[];

  constructor(faults: readonly Fault[] = []) {
    this.#left = faults.map((fault) => ({ fault, times: fault.times ?? 1 }));
  }

  /** Returns what goes wrong with this call, if anything, and uses it up. */
  next(endpoint: Endpoint): Fault | undefined {
    const index = this.#left.findIndex(({ fault, times }) => fault.at === endpoint && times > 0);
    const entry = this.#left[index];
    if (!entry) return undefined;
    entry.times--;
    return entry.fault;
  }

  /** Faults that have not happened yet. */
  get unused(): number {
    return this.#left.filter(({ times }) => times > 0 && Number.isFinite(times)).length;
  }
}
