// The certificates that a server's certificate is judged by: the host's, or those of a file. Made once for all questions of an asker,
// because a hundred and forty certificates take milliseconds, and again when the file has changed. Knows no server.
//
// Reads at once and not by the pool of threads, whose threads a resolver may hold that hangs: a question by an address would
// wait for one, and its deadline would be held against the service. A file system that hangs stops the asker, which is
// replaced; then nothing could be asked.

import { readFileSync, statSync } from 'node:fs';
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
export function trusted(ca: string | null): SecureContext {
  if (ca === null) return ofHost();
  try {
    return contextOf(ca);
  } catch (error) {
    throw new Verdict(unasked(`the certificates to trust cannot be read: ${errorText(error)}`));
  }
}

function ofHost(): SecureContext {
  for (const path of placesOfAuthorities(process.env)) {
    try {
      return contextOf(path);
    } catch {
      // The next one.
    }
  }
  return nodesOwn();
}

function contextOf(path: string): SecureContext {
  const { ino, mtimeMs, size } = statSync(path);
  const stamp = `${ino} ${mtimeMs} ${size}`;
  const known = made.get(path);
  if (known?.stamp === stamp) return known.context;
  const context = createSecureContext({ ca: readFileSync(path) });
  made.set(path, { stamp, context });
  return context;
}

let own: SecureContext | null = null;

function nodesOwn(): SecureContext {
  own ??= createSecureContext();
  return own;
}
