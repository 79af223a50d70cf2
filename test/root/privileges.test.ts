// What only root can give and take: users, limits and capabilities of a supervised service, read back from
// the kernel, and the configurations that a root keeper must not trust.

import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONFIG, forgetEverything, inState, Keeper, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { run, statusOf, until } from '../support/sandbox-machine.js';

const NOBODY = 65534;

let keeper: Keeper | null = null;

beforeEach(() => {
  forgetEverything();
  mkdirSync('/etc/upkeep', { recursive: true });
  chmodSync('/etc/upkeep', 0o755);
});

afterEach(async () => {
  await keeper?.stop();
  keeper = null;
  forgetEverything();
});

/** The process of a service once it runs: the program itself, whatever set it up before. */
async function processOf(name: string, comm: string): Promise<number> {
  return until(`${name} runs ${comm}`, async () => {
    const pid = (await inState(name, 'running')).process?.pid ?? 0;
    return statusOf(pid).get('Name') === comm ? pid : undefined;
  });
}

function limitsOf(pid: number): ReadonlyMap<string, readonly string[]> {
  const lines = readFileSync(`/proc/${pid}/limits`, 'utf8').trimEnd().split('\n').slice(1);
  return new Map(lines.map((line) => [line.slice(0, 26).trim(), line.slice(26).trim().split(/\s+/)]));
}

describe('a supervised service', () => {
  it('has exactly the identity, limits and privileges that were written', async () => {
    run('groupadd', ['-f', 'witness']);
    run('groupadd', ['-f', 'extra']);
    run('useradd', ['-M', '-g', 'witness', '-G', 'extra', '-s', '/usr/sbin/nologin', 'witness']);
    const id = (what: string): string => run('id', [what, 'witness']).stdout.trim();
    const extra = run('getent', ['group', 'extra']).stdout.split(':')[2] ?? '';
    writeConfig(`
services:
  plain: { run: /usr/bin/sleep infinity }
  tight:
    run: /usr/bin/sleep infinity
    user: witness
    umask: "027"
    cwd: /var/tmp
    nice: 5
    oomScoreAdjust: 300
    noNewPrivileges: true
    limits: { nofile: 4096, core: none, nproc: 77 }
  capable:
    run: /usr/bin/sleep infinity
    user: witness
    capabilities: [net_bind_service]
  grouped: { run: /usr/bin/sleep infinity, user: witness, group: daemon, groups: [mail] }
`);
    // Node raises its soft limit of open files to the hard one; no service may inherit that.
    const soft = run('sh', ['-c', 'ulimit -Sn']).stdout.trim();
    keeper = await Keeper.start();

    const plain = statusOf(await processOf('plain', 'sleep'));
    expect(plain.get('Uid')).toBe('0\t0\t0\t0');
    expect(plain.get('NoNewPrivs')).toBe('0');
    expect(plain.get('Umask')).toBe('0022');
    expect(plain.get('SigIgn')).toBe('0000000000000000');
    expect(plain.get('SigBlk')).toBe('0000000000000000');
    expect(limitsOf(Number(plain.get('Pid'))).get('Max open files')?.[0]).toBe(soft);

    const pid = await processOf('tight', 'sleep');
    const tight = statusOf(pid);
    expect(tight.get('Uid')).toBe(Array(4).fill(id('-u')).join('\t'));
    expect(tight.get('Gid')).toBe(Array(4).fill(id('-g')).join('\t'));
    expect(tight.get('Groups')?.split(' ').sort()).toEqual([id('-g'), extra].sort());
    expect(tight.get('Umask')).toBe('0027');
    expect(tight.get('NoNewPrivs')).toBe('1');
    expect(tight.get('CapEff')).toBe('0000000000000000');
    expect(tight.get('SigIgn')).toBe('0000000000000000');
    expect(limitsOf(pid).get('Max open files')?.slice(0, 2)).toEqual(['4096', '4096']);
    expect(limitsOf(pid).get('Max core file size')?.slice(0, 2)).toEqual(['unlimited', 'unlimited']);
    expect(limitsOf(pid).get('Max processes')?.slice(0, 2)).toEqual(['77', '77']);
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('300');
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    expect(fields[16]).toBe('5');
    const env = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    expect(env).toContain('USER=witness');
    expect(env.filter((line) => /^(UPKEEP_SANDBOX|VITEST)/.test(line))).toEqual([]);

    const capable = statusOf(await processOf('capable', 'sleep'));
    // CAP_NET_BIND_SERVICE is bit 10, and nothing else.
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb']) expect(capable.get(set), set).toBe('0000000000000400');

    const grouped = statusOf(await processOf('grouped', 'sleep'));
    const gid = (name: string): string => run('getent', ['group', name]).stdout.split(':')[2] ?? '';
    expect(grouped.get('Gid')).toBe(Array(4).fill(gid('daemon')).join('\t'));
    expect(grouped.get('Groups')?.split(' ')).toContain(gid('mail'));
    expect(grouped.get('Groups')?.split(' ')).not.toContain(extra);
  });

  it('keeps its privileges over a restart', async () => {
    writeConfig('services: { own: { run: /usr/bin/sleep infinity, user: nobody, noNewPrivileges: true } }\n');
    keeper = await Keeper.start();
    const old = await processOf('own', 'sleep');
    process.kill(old, 'SIGKILL');
    const pid = await until('another one', async () => {
      const now = await processOf('own', 'sleep');
      return now === old ? undefined : now;
    });
    expect(statusOf(pid).get('Uid')).toBe(Array(4).fill(String(NOBODY)).join('\t'));
    expect(statusOf(pid).get('NoNewPrivs')).toBe('1');
  });
});

describe('a root keeper', () => {
  const GOOD = 'services: { own: { run: /usr/bin/sleep infinity } }\n';

  it.each<readonly [what: string, weaken: () => void, named: string]>([
    ['a file of another user', () => chownSync(CONFIG, NOBODY, NOBODY), CONFIG],
    ['a file that everybody can write', () => chmodSync(CONFIG, 0o666), CONFIG],
    [
      'a file that another group can write',
      () => {
        chownSync(CONFIG, 0, NOBODY);
        chmodSync(CONFIG, 0o664);
      },
      CONFIG,
    ],
    ['a directory that everybody can write', () => chmodSync('/etc/upkeep', 0o777), '/etc/upkeep'],
    ['a directory of another user', () => chownSync('/etc/upkeep', NOBODY, NOBODY), '/etc/upkeep'],
    [
      'a link into a directory of another user',
      () => {
        mkdirSync('/srv/theirs', { recursive: true });
        writeFileSync('/srv/theirs/real.yaml', GOOD);
        chownSync('/srv/theirs', NOBODY, NOBODY);
        rmSync(CONFIG);
        symlinkSync('/srv/theirs/real.yaml', CONFIG);
      },
      '/srv/theirs',
    ],
  ])('refuses %s and names it', async (_what, weaken, named) => {
    writeConfig(GOOD);
    try {
      weaken();
      const refused = await Keeper.refused();
      expect(refused.code).not.toBe(0);
      expect(refused.text).toContain(named);
    } finally {
      chownSync('/etc/upkeep', 0, 0);
      chmodSync('/etc/upkeep', 0o755);
      rmSync('/srv/theirs', { recursive: true, force: true });
    }
  });

  it('refuses an included file that another user can write', async () => {
    writeConfig('include: [more.yaml]\n');
    writeConfig(GOOD, '/etc/upkeep/more.yaml');
    chownSync('/etc/upkeep/more.yaml', NOBODY, NOBODY);
    const refused = await Keeper.refused();
    expect(refused.code).not.toBe(0);
    expect(refused.text).toContain('/etc/upkeep/more.yaml');
  });

  it('lets another user read the status, and nothing more', async () => {
    writeConfig(GOOD);
    keeper = await Keeper.start();
    const pid = await processOf('own', 'sleep');
    // The checkout may lie below a directory that is root's alone: nobody gets a copy of what the command needs.
    const copy = '/opt/upkeep-for-all';
    for (const part of ['bin', 'dist', 'package.json', 'node_modules/commander'])
      cpSync(part, join(copy, part), { recursive: true });
    const asNobody = (...args: readonly string[]) =>
      run('setpriv', [
        '--reuid',
        String(NOBODY),
        '--regid',
        String(NOBODY),
        '--clear-groups',
        process.execPath,
        join(copy, 'bin/upkeep'),
        '--system',
        ...args,
      ]);
    const status = asNobody('status', '--json');
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({ services: [{ name: 'own', state: 'running' }] });
    expect(asNobody('stop', 'own').code).toBe(1);
    expect(asNobody('shutdown').code).toBe(1);
    expect(await processOf('own', 'sleep')).toBe(pid);
    expect(upkeep('stop', 'own').code).toBe(0);
  });
});
