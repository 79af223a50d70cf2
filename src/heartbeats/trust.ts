// The certificates that a server's certificate is judged by: the host's, or those of a file. Made once for all questions of an asker,
// because a hundred and forty certificates take milliseconds, and again when the file has changed. Knows no server.

import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { placesOfAuthorities } from '../core/authorities.js';
import { errorText } from '../core/error-text.js';
import { Verdict } from './judge.js';
import { unasked } from './kind.js';

interface Made {
  readonly stamp: string;
  readonly context: SecureContext;
}

const made = new Map<string, Made>();

/** `ca`: null: the host's own. @throws Verdict: the file cannot be read, so that nothing can be asked */
export async function trusted(ca: string | null): Promise<SecureContext> {
  if (ca !== null) {
    return contextOf(ca).catch((error: unknown) => {
      throw new Verdict(unasked(`the certificates to trust cannot be read: ${errorText(error)}`));
    });
  }
  for (const path of placesOfAuthorities(process.env)) {
    const context = await contextOf(path).catch(() => null);
    if (context !== null) return context;
  }
  return nodesOwn();
}

async function contextOf(path: string): Promise<SecureContext> {
  const { ino, mtimeMs, size } = await stat(path);
  const stamp = `${ino} ${mtimeMs} ${size}`;
  const known = made.get(path);
  if (known?.stamp === stamp) return known.context;
  const context = createSecureContext({ ca: await readFile(path) });
  made.set(path, { stamp, context });
  return context;
}

let own: SecureContext | null = null;

function nodesOwn(): SecureContext {
  own ??= createSecureContext();
  return own;
}
