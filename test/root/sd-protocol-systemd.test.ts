// The same services under a real systemd and under Upkeep: what they find, and what is seen of them, agrees, or stands in
// docs/systemd.md with its reason. `node scripts/protocol-table.mjs` writes the tables there anew.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Check, Findings, Kept, Manager } from '../support/protocol-check.js';
import { accessChecks } from '../support/protocol-checks-access.js';
import { endingChecks } from '../support/protocol-checks-endings.js';
import { libraryChecks } from '../support/protocol-checks-library.js';
import { mainChecks } from '../support/protocol-checks-main.js';
import { socketChecks } from '../support/protocol-checks-sockets.js';
import { storeChecks } from '../support/protocol-checks-store.js';
import { wordChecks } from '../support/protocol-checks-words.js';
import { protocolOfSystemd } from '../support/protocol-systemd.js';
import { agrees, printed, type Row, rowsOf } from '../support/protocol-table.js';
import { protocolOfUpkeep } from '../support/protocol-upkeep.js';
import { Systemd } from '../support/sandbox-systemd.js';

const PLACE = '/srv/protocol';
const PAGE = join(import.meta.dirname, '../../docs/systemd.md');
const CHECKS: readonly Check[] = [
  ...wordChecks,
  ...accessChecks,
  ...mainChecks,
  ...endingChecks,
  ...socketChecks,
  ...storeChecks,
  ...libraryChecks,
];

/** What each check found, or how it broke. */
type Played = ReadonlyMap<string, PromiseSettledResult<Findings>>;

/** All beside one another. */
async function played(manager: Manager): Promise<Played> {
  const found = new Map<string, PromiseSettledResult<Findings>>();
  const play = async (kept: Kept): Promise<void> => {
    const [result] = await Promise.allSettled([kept.check.play(kept)]);
    found.set(kept.check.id, result);
  };
  try {
    await Promise.all((await manager.keep(CHECKS)).map(play));
    return found;
  } finally {
    await manager.end();
  }
}

function foundBy(all: Played, { id }: Check): Findings {
  const result = all.get(id);
  if (result?.status !== 'fulfilled') throw result?.reason ?? new Error(`${id} was not played`);
  return result.value;
}

let bySystemd: Played;
let byUpkeep: Played;

beforeAll(async () => {
  bySystemd = await played(protocolOfSystemd(await Systemd.boot(), join(PLACE, 'systemd')));
  byUpkeep = await played(protocolOfUpkeep(join(PLACE, 'upkeep')));
}, 300_000);

const rows = (check: Check): readonly Row[] => rowsOf(check, foundBy(bySystemd, check), foundBy(byUpkeep, check));

describe('a service finds under Upkeep what it finds under systemd, or there is a reason (graceful 6)', () => {
  it.each(CHECKS.map((check) => [check.cites, check.id, check] as const))('%s: %s', (_cites, _id, check) => {
    const all = rows(check);
    const unexplained = all.filter((row) => !agrees(row) && row.why === null);
    const outdated = all.filter((row) => agrees(row) && row.why !== null);
    expect({ unexplained, outdated }).toEqual({ unexplained: [], outdated: [] });
  });
});

describe('the tables', () => {
  it('of docs/systemd.md are what was found', () => {
    const tables = printed(CHECKS.flatMap(rows));
    // For the script, which cannot read a file of the sandbox.
    console.log(tables);
    if (process.env.UPKEEP_PROTOCOL_TABLE !== 'print') expect(readFileSync(PAGE, 'utf8')).toContain(tables);
  });
});
