// Lines as real kernels wrote them (6.18 of the bench machine; 6.1 has four flags and a bare mark_victim), and names that
// somebody chose to deceive.

import { describe, expect, it } from 'vitest';
import { parseTrace } from './trace-line.js';

const line = (sender: string, target = 'sleep', number = 21905): string =>
  `${sender}-21907 (21907) [001] d..1. 2170.019488: signal_generate: sig=9 errno=0 code=0 comm=${target} pid=${number} grp=1 res=0\n`;

const signalled = (text: string) => parseTrace(text).flatMap((record) => (record.type === 'signalled' ? [record] : []));

describe('a line of the trace', () => {
  it('says who sent what to whom, and when, on the clock of start times', () => {
    expect(parseTrace(line('            bash'))).toEqual([
      {
        type: 'signalled',
        at: 2170019.488,
        ticks: 217001,
        sender: { pid: 21907, name: 'bash' },
        signal: 9,
        code: 0,
        target: 21905,
        name: 'sleep',
      },
    ]);
  });

  it('is read as 6.18 and as 6.1 write it, with and without the column of the process', () => {
    const told = signalled(
      [
        '         python3-3915    [000] d..1. 13716.203181: signal_generate: sig=9 errno=0 code=0 comm=sleep pid=3956 grp=1 res=0',
        '           pkill-3961    [001] dN.1. 13716.217785: signal_generate: sig=15 errno=0 code=-6 comm=bash pid=3957 grp=0 res=4',
        '            kill-812     [000] d..1    92.000000: signal_generate: sig=1 errno=0 code=0 comm=sshd pid=700 grp=1 res=0',
        '            kill-812 (-------) [000] d..1    92.000000: signal_generate: sig=1 errno=0 code=0 comm=sshd pid=700 grp=1 res=0',
        '',
      ].join('\n'),
    );
    expect(told.map(({ sender, signal, code, target }) => [sender.name, sender.pid, signal, code, target])).toEqual([
      ['python3', 3915, 9, 0, 3956],
      ['pkill', 3961, 15, -6, 3957],
      ['kill', 812, 1, 0, 700],
      ['kill', 812, 1, 0, 700],
    ]);
  });

  it('has no name where the kernel had not kept it', () => {
    expect(signalled(line('           <...>'))[0]?.sender).toEqual({ pid: 21907, name: null });
  });

  it('tells whom the kernel chose when memory ran out, in both wordings, and what it held where that is said', () => {
    const head = '           tail-99      [000] .....   100.500000: mark_victim: pid=4711';
    const old = parseTrace(`${head}\n`);
    const now = parseTrace(
      `${head} comm=tail total-vm=41220kB anon-rss=30000kB file-rss:1kB shmem-rss:0kB uid=0 pgtables=1kB oom_score_adj=0\n`,
    );
    const victim = { type: 'starved', at: 100500, ticks: 10050, target: 4711 };
    expect(old).toEqual([{ ...victim, held: null, mapped: null }]);
    expect(now).toEqual([{ ...victim, held: 30000 * 1024, mapped: 41220 * 1024 }]);
  });

  it('says that notes were overwritten', () => {
    const lost = [
      { type: 'lost', count: 17 },
      { type: 'lost', count: null },
    ];
    expect(parseTrace('CPU:1 [LOST 17 EVENTS]\nCPU:0 [LOST EVENTS]\n')).toEqual(lost);
  });
});

describe('a name that deceives', () => {
  it.each([
    ['blanks and dashes', 'a-1 [000] b'],
    ['a pid of its own', 'x pid=1 grp=1'],
    ['a line end', 'x\ny'],
    ['nothing but line ends', '\n'.repeat(15)],
    ['the beginning of a line', 'x-1 [0] d 1.1: '],
  ])('hides neither sender nor target: %s', (_, name) => {
    const [asSender, next] = signalled(line(name) + line('bash'));
    expect([asSender?.sender.pid, asSender?.target]).toEqual([21907, 21905]);
    expect(next?.sender.name).toBe('bash');
    const [asTarget, after] = signalled(line('bash', name) + line('sh'));
    expect([asTarget?.sender, asTarget?.target]).toEqual([{ pid: 21907, name: 'bash' }, 21905]);
    expect(after?.sender.name).toBe('sh');
  });

  it('costs no record but its own where a piece of text is no record at all', () => {
    expect(signalled(`what is this\n${line('bash')}nothing\n${line('sh')}`)).toHaveLength(2);
    expect(parseTrace('x\n'.repeat(1000))).toEqual([]);
    expect(signalled('x'.repeat(1000) + line('bash'))).toEqual([]);
  });

  it('costs no more than others: a storm of names that are nothing but line ends is read in one go', () => {
    const storm = line('\n'.repeat(15), '\n'.repeat(15)).repeat(20_000);
    expect(signalled(storm)).toHaveLength(20_000);
  });
});
