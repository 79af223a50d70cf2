// The words of the hand-over channel, as they come off the wire. Whoever does not know a word or a member ignores it, so that
// either side may be newer than the other.

/** A generation to its manager. */
export type Word =
  | { readonly say: 'hello'; readonly state: boolean }
  | { readonly say: 'notify'; readonly text: string }
  | { readonly say: 'wantsState' }
  | { readonly say: 'exported'; readonly bytes: number }
  | { readonly say: 'noState' }
  | { readonly say: 'exportFailed'; readonly reason: string }
  | { readonly say: 'refused'; readonly reason: string }
  /** It serves. Only a generation that started its own successor listens for that. */
  | { readonly say: 'accepted' };

/** A manager to a generation. */
export type Order =
  | { readonly do: 'export'; readonly to: string }
  | { readonly do: 'import'; readonly from: string | null }
  | { readonly do: 'accept' }
  | { readonly do: 'drain' }
  | { readonly do: 'thaw'; readonly reason: string };

export function orderIn(value: unknown): Order | null {
  const { do: what, to, from, reason } = membersOf(value);
  if (what === 'export' && typeof to === 'string') return { do: what, to };
  if (what === 'import') return { do: what, from: typeof from === 'string' ? from : null };
  if (what === 'accept' || what === 'drain') return { do: what };
  if (what === 'thaw') return { do: what, reason: typeof reason === 'string' ? reason : 'the restart came to nothing' };
  return null;
}

export function wordIn(value: unknown): Word | null {
  const { say, state, text, bytes, reason } = membersOf(value);
  const why = typeof reason === 'string' ? reason : 'it gave no reason';
  if (say === 'hello') return { say, state: state === true };
  if (say === 'notify' && typeof text === 'string') return { say, text };
  if (say === 'exported' && typeof bytes === 'number') return { say, bytes };
  if (say === 'exportFailed' || say === 'refused') return { say, reason: why };
  if (say === 'wantsState' || say === 'noState' || say === 'accepted') return { say };
  return null;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
