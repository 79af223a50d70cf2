// The frames in which others ask this process for a restart: four bytes of length, big-endian, then JSON; those of shellflip, so
// that its clients work. Pure.

export type Answer = { readonly RestartComplete: number } | { readonly RestartFailed: string };

/** No request and no answer is longer. */
const LONGEST = 64 * 1024;

export type Frame =
  | { readonly type: 'whole'; readonly value: unknown }
  | { readonly type: 'partial' }
  | { readonly type: 'bad'; readonly reason: string };

export function frame(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

/** The first frame of what has come so far. */
export function frameIn(bytes: Buffer): Frame {
  if (bytes.length < 4) return { type: 'partial' };
  const length = bytes.readUInt32BE();
  if (length > LONGEST)
    return { type: 'bad', reason: `a frame of ${length} bytes is none; write its length first, in 4 bytes` };
  if (bytes.length < 4 + length) return { type: 'partial' };
  try {
    return { type: 'whole', value: JSON.parse(bytes.toString('utf8', 4, 4 + length)) };
  } catch {
    return { type: 'bad', reason: 'the frame holds no JSON' };
  }
}

export const restartRequest = { Request: 'TryRestart' } as const;

export const isRestartRequest = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'Request' in value && value.Request === restartRequest.Request;

export const answerFrame = (answer: Answer): Buffer => frame({ Response: answer });

/** Null: it is no answer. */
export function answerIn(value: unknown): Answer | null {
  const response = memberOf(value, 'Response');
  const pid = memberOf(response, 'RestartComplete');
  const reason = memberOf(response, 'RestartFailed');
  if (typeof pid === 'number') return { RestartComplete: pid };
  return typeof reason === 'string' ? { RestartFailed: reason } : null;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
