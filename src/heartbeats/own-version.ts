// Who asks, for servers that write down who asked.

import { readFileSync } from 'node:fs';

const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

/** `upkeep/1.2.3` */
export const userAgent = `upkeep/${version}`;
