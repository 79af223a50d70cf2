import { describe, expect, it } from 'vitest';
import { openKeeper, runCommand } from '../../test/support/command-line.js';
import type { FakeOptions } from '../../test/support/fake-keeper.js';
import { ControlError } from '../control/control-error.js';

const run = async (command: string, options: FakeOptions) => runCommand(command, await openKeeper(options));

describe('upkeep ack', () => {
  it.each(['', ' --json'])('says which incident was meant, and takes the reason along%s', async (json) => {
    const asked: unknown[] = [];
    const ack = (body: unknown) => {
      asked.push(body);
      return { incident: 'mh1xabc', service: 'web' };
    };
    const { code, terminal } = await run(`ack web --reason known${json}`, { govern: { ack } });
    expect(code).toBe(0);
    expect(asked).toEqual([{ what: 'web', reason: 'known' }]);
    if (json === '')
      expect(terminal.printed()).toBe('web: incident mh1xabc is acknowledged; there are no more reminders of it\n');
    else expect(JSON.parse(terminal.printed())).toEqual({ version: 1, incident: 'mh1xabc', service: 'web' });
  });

  it('says so where nothing of that name is wrong', async () => {
    const ack = () => {
      throw new ControlError(404, 'not-found', 'there is no open incident web');
    };
    expect((await run('ack web', { govern: { ack } })).code).toBe(2);
  });

  it('wants one word', async () => {
    expect((await run('ack', { govern: {} })).code).toBe(2);
    expect((await run('ack a b', { govern: {} })).code).toBe(2);
  });
});
