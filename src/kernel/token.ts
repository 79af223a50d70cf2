// What a process of a service carries so that a later keeper knows it by it. A proof of little: it is inherited by
// grandchildren, and whoever may read an environment can copy it.

import { createHmac } from 'node:crypto';
import type { Origin } from './environment.js';

/** Every process of a service can read its own token: hashed, it says nothing about those of others. */
export const tokenOf = (
  secret: string,
  service: string,
  generation: number,
  role: Origin['role'],
  hook: number,
): string =>
  createHmac('sha256', secret)
    .update(`${service} ${generation} ${role}${hook === 0 ? '' : ` ${hook}`}`)
    .digest('base64url');
