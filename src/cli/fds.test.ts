import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { openKeeper, runCommand } from '../../test/support/command-line.js';
import { NOW, running } from '../../test/support/fake-keeper.js';
import type { DescriptorView, FdsDocument } from '../core/status.js';

const base: DescriptorView = {
  name: 'http',
  held: 'socket',
  since: null,
  type: 'tcp',
  is: 'listening',
  at: '127.0.0.1:8080',
  peer: null,
  device: '0:8',
  inode: '4711',
  flags: ['rdwr'],
};
const memory: DescriptorView = {
  ...base,
  name: 'state',
  held: 'stored',
  since: new Date(NOW - 90_000).toISOString(),
  type: 'memfd',
  is: null,
  at: 'sta\u001bte',
};
const connection: DescriptorView = {
  ...memory,
  name: 'c1',
  type: 'tcp',
  is: 'connected',
  at: '127.0.0.1:80',
  peer: '10.0.0.7:51234',
};
const pipe: DescriptorView = {
  ...memory,
  name: 'next',
  held: 'storedBeside',
  type: 'pipe',
  at: null,
  flags: ['rdonly', 'nonblock'],
};

const document = (descriptors: readonly DescriptorView[]): FdsDocument => ({
  version: 1,
  service: 'web',
  state: 'running',
  fdStore: 16,
  descriptors,
});

async function open(descriptors: readonly DescriptorView[], uid = 0) {
  const keeper = await openKeeper({ uid, fds: (name) => (name === 'web' ? document(descriptors) : null) });
  keeper.put(supervised(), running(812));
  return keeper;
}

describe('upkeep fds', () => {
  it('shows what is held, under the number at which the next start finds it', async () => {
    const { code, terminal } = await runCommand('fds web', await open([base, memory, connection, pipe]));
    expect(code).toBe(0);
    expect(terminal.printed().split('\n').slice(0, -1)).toEqual([
      'web  running  3 of 16 stored',
      '  FD      NAME   WHAT                                 DEVICE  INODE  FLAGS            SINCE',
      '  3       http   tcp 127.0.0.1:8080, listening        0:8     4711   rdwr',
      '  4       state  memfd sta te                         0:8     4711   rdwr             90 s',
      '  5       c1     tcp 127.0.0.1:80, to 10.0.0.7:51234  0:8     4711   rdwr             90 s',
      '  beside  next   pipe                                 0:8     4711   rdonly nonblock  90 s',
    ]);
  });

  it('says that there is nothing', async () => {
    const { terminal } = await runCommand('fds web', await open([]));
    expect(terminal.printed()).toBe('web  running  0 of 16 stored\n  nothing is held for it\n');
  });

  it('prints the document of the keeper', async () => {
    const { terminal } = await runCommand('fds web --json', await open([base]));
    expect(JSON.parse(terminal.printed())).toEqual(document([base]));
  });

  it('ends with 2 for a service that there is not, and with 1 where one may not see it', async () => {
    const { code, terminal } = await runCommand('fds wbe', await open([]));
    expect([code, terminal.complained()]).toEqual([2, 'upkeep: there is no service wbe; did you mean web\n']);
    const stranger = await runCommand('fds web', await open([], 1002));
    expect([stranger.code, stranger.terminal.complained()]).toEqual([
      1,
      'upkeep: what is open for a service is for root, the user of the keeper and group upkeep\n',
    ]);
  });
});
