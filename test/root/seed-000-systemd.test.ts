// The wish of seed 000 under a real systemd, with the article's own unit and with every other directive that looks as if it would do:
// the table of docs/coupling.md is what is found here. `node scripts/coupling-table.mjs` writes it anew.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coupled } from '../support/agent-and-witness.js';
import { type Cosigning, prepareCosigning } from '../support/cosigning.js';
import { type Directives, systemdWith } from '../support/coupling-systemd.js';
import { type Candidate, measure, printed, type Row } from '../support/coupling-table.js';
import { upkeepWith } from '../support/coupling-upkeep.js';
import { Systemd } from '../support/sandbox-systemd.js';

const PLACE = '/srv/coupling';
const PAGE = join(import.meta.dirname, '../../docs/coupling.md');

const ARTICLE = 'agent: `After=` `Requires=`, the article';
const DIRECTIVES: readonly (readonly [label: string, directives: Directives])[] = [
  [ARTICLE, { agentUnit: (witness) => `After=${witness}\nRequires=${witness}` }],
  ['agent: `After=` `PartOf=`', { agentUnit: (witness) => `After=${witness}\nPartOf=${witness}` }],
  ['agent: `After=` `BindsTo=`', { agentUnit: (witness) => `After=${witness}\nBindsTo=${witness}` }],
  ['agent: `After=` `Wants=`', { agentUnit: (witness) => `After=${witness}\nWants=${witness}` }],
  [
    'witness: `PropagatesStopTo=` `Upholds=`',
    { witnessUnit: (agent) => `PropagatesStopTo=${agent}\nUpholds=${agent}` },
  ],
  [
    'witness: `ExecStopPost=` a restart of the agent',
    { witnessService: (agent) => `ExecStopPost=systemctl --no-block restart ${agent}` },
  ],
];

const rows = new Map<string, Row>();
let systemd: Systemd;
let cosigning: Cosigning;

const measured = async (candidate: Candidate, label: string): Promise<Row> => {
  const row = await measure(candidate, cosigning, join(PLACE, `row-${rows.size}`));
  rows.set(label, row);
  return row;
};

beforeAll(async () => {
  cosigning = prepareCosigning(join(PLACE, 'programs'));
  systemd = await Systemd.boot();
});

afterAll(async () => {
  await systemd.end();
});

describe('the witness and its agent under systemd', () => {
  it.each(DIRECTIVES)('with %s', async (label, directives) => {
    await measured(systemdWith(systemd, directives), label);
  });

  it('as the article has it: an end of the witness alone does not restart the agent, and a stop takes it down', () => {
    const [stop, ...unasked] = rows.get(ARTICLE)?.no.slice(0, 4) ?? [];
    expect([stop, ...unasked]).toEqual(['gone', 'not restarted', 'not restarted', 'not restarted']);
  });
});

const UPKEEP = '**Upkeep**: witness `needs`, agent `restartWith`';

describe('the witness and its agent under Upkeep', () => {
  it('every end of the witness restarts the agent, once, and where the witness is to run it cosigns', async () => {
    const { no, always } = await measured(upkeepWith(coupled), UPKEEP);
    expect(new Set([...no, ...always])).toEqual(new Set(['restarted']));
  });
});

describe('the table', () => {
  it('of docs/coupling.md is what was found', () => {
    const table = printed(rows);
    // For the script, which cannot read a file of the sandbox.
    console.log(table);
    if (process.env.UPKEEP_COUPLING_TABLE !== 'print') expect(readFileSync(PAGE, 'utf8')).toContain(table);
  });
});
