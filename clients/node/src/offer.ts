// The words of a hand-over between two generations of one program, as that program sees them.

/** What this generation gives to the next. */
export interface Offer {
  /** Which form the state has. A generation that knows only older ones refuses it. */
  readonly schema: number;
  /** Freezes the state and writes it. To throw is to refuse: the restart comes to nothing. */
  readonly send: (writer: StateWriter) => Promise<void> | void;
  /** Takes the freeze back: this generation goes on. Called once for each `send` that came to nothing, whatever the cause. */
  readonly undo?: (reason: string) => Promise<void> | void;
}

export interface StateWriter {
  /** Resolves when there is room for more. @throws where the state is over the limit, or the reader is gone */
  readonly write: (bytes: Uint8Array | string) => Promise<void>;
  /** One value, as all of the state. */
  readonly json: (value: unknown) => Promise<void>;
}

/** What the generation before gave to this one. It counts as whole only when its end mark and its digest were seen. */
export interface Received {
  readonly schema: number;
  /** The number of the generation that sent it. */
  readonly generation: number;
  /** All of it. Asked again, the same. @throws StateError */
  readonly read: () => Promise<Buffer>;
  /** All of it, as one value. @throws StateError */
  readonly json: () => Promise<unknown>;
  /** As it comes, once. Throws at the end where it was not whole. */
  readonly stream: () => AsyncIterable<Buffer>;
}

/** The state is cut off, damaged, too large, or of a newer form than this program knows. */
export class StateError extends Error {
  override readonly name = 'StateError';
}
