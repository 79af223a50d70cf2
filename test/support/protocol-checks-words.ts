// Checks of what a service says by sd_notify, and of which messages count: readiness, status, barriers, strangers.

import { join } from 'node:path';
import { type Check, inState, PYTHON, told, touch, when } from './protocol-check.js';
import { becomes, inTurn, SENDER, type Step, turns } from './protocol-sender.js';

const shown = (text: string | undefined): string => (text === undefined || text === '' ? '(nothing)' : text);

const ready: Check = {
  cites: 'A1 A2',
  id: 'ready',
  script: () => `until [ -e go ]; do sleep 0.1; done
systemd-notify --ready --status='serving from a shell'
echo $? >code.new; mv code.new code
exec sleep 1000`,
  unit: () => ['Type=notify'],
  settings: () => ({ ready: 'notify' }),
  play: async (kept) => {
    const before = await when(kept, 'it has a process', ({ main }) => main !== 0);
    touch(kept, 'go');
    const after = await inState(kept, 'up');
    return {
      'before READY=1 the service is': before.state,
      'after `systemd-notify --ready` it is': after.state,
      'after `systemd-notify --status` it says': after.text,
      'systemd-notify, which waits for the answer to BARRIER=1, ends with': await told(kept, 'code'),
    };
  },
};

/** Messages one after the other, and the text that is shown after each. */
const TEXTS: Readonly<Record<string, Step>> = {
  'STATUS twice in one message': { say: 'STATUS=first\nSTATUS=second' },
  'lines that end with CR LF': { say: 'STATUS=crlf\r\nX_OTHER=1\r\n' },
  'a blank before the key': { say: ' STATUS=blank' },
  'a key in small letters': { say: 'status=small' },
  'an empty STATUS': { say: 'STATUS=' },
  'STATUS anew': { say: 'STATUS=anew' },
  'a STATUS that is no UTF-8': { say: 'STATUS=\xff\xfe' },
  'a message without a line': { say: 'STATUS=there' },
  'an empty message': { say: '' },
  'a zero byte within': { say: 'STATUS=zero\0READY=1' },
  'a zero byte at the end': { say: 'STATUS=zero at the end\0' },
  'BARRIER=1 without a descriptor': { say: 'BARRIER=1' },
  'BARRIER=1 with two': { say: 'BARRIER=1', fds: 2 },
  'BARRIER=1 beside another line': { barrier: 'mixed', with: 'BARRIER=1\nSTATUS=mixed' },
  'the next message': { say: 'STATUS=goes on' },
  '4096 bytes': { say: `STATUS=4096${'-'.repeat(4085)}` },
  '5000 bytes': { say: `STATUS=5000${'-'.repeat(4989)}` },
};

const text: Check = {
  cites: 'A3 A4 A5 A6',
  id: 'text',
  script: () => becomes({ say: 'READY=1' }, ...inTurn(Object.values(TEXTS))),
  unit: () => ['Type=notify'],
  settings: () => ({ ready: 'notify' }),
  play: async (kept) => {
    const names = Object.keys(TEXTS);
    const seen = await turns(kept, names.length);
    const found = names.map((name, i) => [
      `STATUS after ${name}`,
      // Upkeep cuts what it shows.
      shown(seen[i]?.text).replace(/-{9,}.*$/, ' …'),
    ]);
    return { ...Object.fromEntries(found), 'BARRIER=1 beside another line is': await told(kept, 'mixed') };
  },
};

/** In a cgroup of no unit, and of no service. */
const stranger: Check = {
  cites: 'A7',
  id: 'stranger',
  script: () => `echo "$NOTIFY_SOCKET" >address.new; mv address.new address
${becomes({ say: 'READY=1\nSTATUS=from the service' }, { barrier: 'said' })}`,
  unit: () => ['Type=notify', 'NotifyAccess=all'],
  settings: () => ({ ready: { notify: 'all' } }),
  play: async (kept) => {
    await told(kept, 'said');
    const address = await told(kept, 'address');
    const steps = JSON.stringify([
      { say: 'STATUS=from a stranger' },
      { barrier: join(kept.place, 'heard') },
      { exit: 0 },
    ]);
    const { code } = kept.beside('env', `NOTIFY_SOCKET=${address}`, PYTHON, SENDER, steps);
    return {
      'STATUS after a message of a process of no service': (await kept.look()).text,
      'whoever sent it is told': code === 0 ? 'nothing' : 'something',
    };
  },
};

const reloading: Check = {
  cites: '1.3',
  id: 'reloading',
  script: () =>
    becomes({ say: 'READY=1' }, ...inTurn([{ reloading: 0 }, { say: 'READY=1' }, { say: 'RELOADING=1\nREADY=1' }])),
  unit: () => ['Type=notify'],
  settings: () => ({ ready: 'notify' }),
  play: async (kept) => {
    const [begun, done, atOnce] = await turns(kept, 3);
    return {
      'after RELOADING=1 the service is': begun?.state ?? '',
      'after READY=1 again it is': done?.state ?? '',
      'after RELOADING=1 and READY=1 in one message it is': atOnce?.state ?? '',
    };
  },
};

export const wordChecks: readonly Check[] = [ready, text, stranger, reloading];
