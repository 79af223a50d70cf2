import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ground, type Ran } from './ground.js';
import { carryOut, type Plan, planInstall, startNow, stepLines } from './install.js';
import { claimOwner, readOwner } from './owner.js';
import type { Target } from './target.js';
import { forget, planRemoval, takeAway } from './uninstall.js';
import type { Via } from './via.js';
import type { Command } from './way.js';

let root: string;
let target: Target;
let commands: { readonly command: Command; readonly input: string }[];
let crontab: string | null;
let running: Set<string>;
let ground: Ground;

function answer(command: Command, input: string): Ran {
  commands.push({ command, input });
  const fine = { code: 0, stdout: '', stderr: '' };
  if (command[0] !== 'crontab') return fine;
  if (command[1] === '-l')
    return crontab === null ? { code: 1, stdout: '', stderr: 'no crontab for alice' } : { ...fine, stdout: crontab };
  crontab = command[1] === '-r' ? null : input;
  return fine;
}

function put(path: string, text = ''): string {
  const at = join(root, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, text);
  return at;
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const words = (): readonly string[] => commands.map(({ command }) => command.join(' '));

type Ready = Extract<Plan, { type: 'ready' }>;

function ready(via: Via | null, want: 'start' | 'files' = 'start'): Ready {
  const plan = planInstall(target, ground, via, want);
  if (plan.type === 'refused') throw new Error(plan.problem);
  return plan;
}

function install(via: Via | null): Ready {
  const plan = ready(via);
  carryOut(target, ground, plan);
  return plan;
}

function refusal(via: Via | null): string {
  const plan = planInstall(target, ground, via, 'start');
  return plan.type === 'refused' ? plan.problem : `it would install via ${plan.way.via}`;
}

function uninstall(): void {
  const plan = planRemoval(target, ground, null);
  if (plan.type !== 'ready') throw new Error(plan.type);
  takeAway(ground, plan);
  forget(target);
}

/** Every file, link and directory below the root, the state included. */
const everything = (): readonly string[] => readdirSync(root, { recursive: true }).map(String).sort();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'upkeep-install-'));
  commands = [];
  crontab = null;
  running = new Set(['cron']);
  ground = new Ground(root, answer, () => running);
  for (const path of ['etc/systemd/system', 'etc/cron.d', 'etc/init.d', 'run/systemd/system'])
    mkdirSync(join(root, path), { recursive: true });
  put('usr/bin/crontab');
  target = {
    whose: 'system',
    uid: 0,
    user: 'root',
    configHome: '/root/.config',
    node: '/usr/bin/node',
    program: '/opt/upkeep/bin/upkeep',
    scripts: '/opt/upkeep/lib',
    runtime: join(root, 'run/upkeep'),
    state: join(root, 'var/lib/upkeep'),
    logs: join(root, 'var/log/upkeep'),
    config: null,
    environment: {},
  };
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const user = (): Target => ({ ...target, whose: 'user', uid: 1000, user: 'alice', configHome: '/home/alice/.config' });

describe('install', () => {
  it.each<[Via, readonly string[]]>([
    ['systemd', ['/etc/systemd/system/upkeep.service']],
    ['cron', ['/etc/cron.d/upkeep']],
    ['sysv', ['/etc/init.d/upkeep']],
    ['guard', []],
  ])('via %s a second time changes nothing, not even the time of a file', (via, files) => {
    install(via);
    const long = new Date('2020-01-01T00:00:00Z');
    for (const file of [...files, '/var/lib/upkeep/owner.json']) utimesSync(join(root, file), long, long);
    commands = [];
    const again = install(via);
    expect(again).toMatchObject({ steps: [], owner: 'here' });
    expect(commands.filter(({ command }) => command[1] !== '-l')).toEqual([]);
    for (const file of [...files, '/var/lib/upkeep/owner.json'])
      expect(statSync(join(root, file)).mtime, file).toEqual(long);
  });

  it('brings an older file of ours up to date', () => {
    install('cron');
    put('etc/cron.d/upkeep', read('etc/cron.d/upkeep').replace('/opt/upkeep/lib/check.sh', '/opt/old/check.sh'));
    expect(install(null).steps).toMatchObject([{ type: 'file', before: 'older' }]);
    expect(read('etc/cron.d/upkeep')).toContain('/opt/upkeep/lib/check.sh');
  });

  it('goes on with an install that was interrupted after the claim', () => {
    claimOwner(target.state, { version: 1, via: 'cron', since: '2026-11-21T10:00:00.000Z', config: null, files: [] });
    install(null);
    expect(read('etc/cron.d/upkeep')).toContain('* * * * * root');
  });

  it('writes files that everybody may read and only root may write, also under a tight umask', () => {
    const before = process.umask(0o077);
    try {
      install('cron');
    } finally {
      process.umask(before);
    }
    expect(statSync(join(root, 'etc/cron.d/upkeep')).mode & 0o777).toBe(0o644);
    expect(statSync(join(root, 'var/lib/upkeep')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(root, 'etc/cron.d'))).toEqual(['upkeep']);
  });

  it('takes systemd before cron, cron before init scripts, and the guard when nothing else runs', () => {
    expect(ready(null).way.via).toBe('systemd');
    rmSync(join(root, 'run/systemd'), { recursive: true });
    expect(ready(null).way.via).toBe('cron');
    running = new Set(['init']);
    expect(ready(null).way.via).toBe('sysv');
    running = new Set(['bash']);
    expect(ready(null).way.via).toBe('guard');
  });

  it('refuses systemd where it does not run, unless files are all that is wanted', () => {
    rmSync(join(root, 'run/systemd'), { recursive: true });
    expect(refusal('systemd')).toContain('systemd does not run this host');
    const plan = ready('systemd', 'files');
    carryOut(target, ground, plan);
    expect(readlinkSync(join(root, 'etc/systemd/system/multi-user.target.wants/upkeep.service'))).toBe(
      '/etc/systemd/system/upkeep.service',
    );
    expect(words()).not.toContain('systemctl daemon-reload');
  });

  it('refuses cron where no cron daemon runs', () => {
    running = new Set();
    expect(refusal('cron')).toContain('no cron daemon runs here');
  });

  it('has systemd read its units anew before it starts the keeper, and takes the mark of a shutdown away', () => {
    const plan = install('systemd');
    mkdirSync(target.state, { recursive: true });
    writeFileSync(join(target.state, 'stopped'), 'boot=x\n');
    startNow(target, ground, plan.way);
    expect(words()).toEqual(['systemctl daemon-reload', 'systemctl start upkeep.service']);
    expect(readdirSync(target.state)).toEqual(['owner.json']);
  });

  it('says what the command that failed has said', () => {
    ground = new Ground(
      root,
      ([program]) => ({ code: program === 'systemctl' ? 1 : 0, stdout: '', stderr: 'Job failed.\nSee journal.\n' }),
      () => running,
    );
    expect(() => install('systemd')).toThrow('`systemctl daemon-reload` failed (exit 1): Job failed.; See journal.');
  });

  it('shows every line that it would write, and writes none', () => {
    const before = everything();
    const text = ready('systemd').steps.flatMap(stepLines).join('\n');
    expect(text).toContain('write /etc/systemd/system/upkeep.service (mode 0644):\n  # Written by');
    expect(text).toContain('  Restart=always\n');
    expect(text).toContain('run systemctl daemon-reload');
    expect(everything()).toEqual(before);
    expect(words().filter((line) => line !== 'crontab -l')).toEqual([]);
  });

  it('refuses a path that no file can name', () => {
    target = { ...target, state: '/var/lib/a\nb' };
    expect(refusal('cron')).toContain('control character');
  });
});

describe('one owner', () => {
  const ways: readonly Via[] = ['systemd', 'cron', 'sysv', 'guard'];
  const pairs = ways.flatMap((first) =>
    ways.filter((second) => second !== first).map((second) => [first, second] as const),
  );

  it.each(pairs)('of %s is not joined by %s, which is told its name (cfengine-fleet 1.8)', (first, second) => {
    install(first);
    const before = everything();
    expect(refusal(second)).toMatch(new RegExp(`^${first} keeps this keeper already`));
    expect(everything()).toEqual(before);
  });

  it.each<[Via, string]>([
    ['systemd', 'etc/systemd/system/upkeep.service'],
    ['systemd', 'usr/lib/systemd/system/upkeep.service'],
    ['cron', 'etc/cron.d/upkeep'],
    ['sysv', 'etc/init.d/upkeep'],
  ])('stays the only one where a file for %s that is not ours is there', (_via, path) => {
    put(path, 'somebody else wrote this\n');
    for (const via of ways) expect(refusal(via)).toContain(`/${path} is not ours`);
    expect(read(path)).toBe('somebody else wrote this\n');
  });

  it('is also found when the record of it is lost', () => {
    install('cron');
    rmSync(join(target.state, 'owner.json'));
    expect(refusal('systemd')).toContain('cron keeps this keeper already (/etc/cron.d/upkeep)');
    expect(install(null)).toMatchObject({ steps: [], owner: 'to be written', way: { via: 'cron' } });
    expect(readOwner(target.state)).toMatchObject({ type: 'owner', owner: { via: 'cron' } });
  });

  it('is not guessed from a record that cannot be read', () => {
    mkdirSync(target.state, { recursive: true });
    writeFileSync(join(target.state, 'owner.json'), '{"version": 1, "via": "cro');
    expect(refusal('cron')).toContain('owner.json does not say who starts the keeper again');
  });

  it('does not take over the file of another keeper', () => {
    install('cron');
    const { runtime } = target;
    target = { ...target, runtime: join(root, 'other/run'), state: join(root, 'other/state') };
    expect(refusal('cron')).toContain(`starts another keeper (${runtime})`);
  });

  it('does not unmask a masked unit', () => {
    symlinkSync('/dev/null', join(root, 'etc/systemd/system/upkeep.service'));
    expect(refusal('systemd')).toContain('is masked; `systemctl unmask upkeep` takes that away');
  });

  it('is the first of two that claim at once', () => {
    const owner = { version: 1, since: '2026-11-21T10:00:00.000Z', config: null, files: [] } as const;
    expect(claimOwner(target.state, { ...owner, via: 'cron' })).toBe('yes');
    expect(claimOwner(target.state, { ...owner, via: 'systemd' })).toBe('no');
    expect(readOwner(target.state)).toMatchObject({ owner: { via: 'cron' } });
    expect(readdirSync(target.state)).toEqual(['owner.json']);
  });
});

describe("a user's keeper", () => {
  beforeEach(() => {
    target = user();
    rmSync(join(root, 'run/systemd'), { recursive: true });
  });

  it('gets one line in the crontab, and the others stay as they are', () => {
    crontab = 'MAILTO=alice\n\n# mine\n5 4 * * * true';
    install(null);
    expect(crontab).toMatch(/^MAILTO=alice\n\n# mine\n5 4 \* \* \* true\n\* \* \* \* \* \/bin\/sh .*\n$/);
    uninstall();
    expect(crontab).toBe('MAILTO=alice\n\n# mine\n5 4 * * * true\n');
  });

  it('has no crontab left where it had none before', () => {
    install('cron');
    uninstall();
    expect(crontab).toBeNull();
  });

  it('does not touch a crontab that may not be read', () => {
    ground = new Ground(
      root,
      () => ({ code: 1, stdout: '', stderr: 'You (alice) are not allowed to use crontab' }),
      () => running,
    );
    expect(() => install('cron')).toThrow('not allowed to use crontab');
  });

  it('gets a unit of its own manager, which is told how to outlive the last login', () => {
    put('run/systemd/system/.there');
    put('run/user/1000/systemd/private');
    const plan = install(null);
    expect(plan.way.files[0]?.path).toBe('/home/alice/.config/systemd/user/upkeep.service');
    expect(plan.way.files[0]?.text).not.toContain('OOMScoreAdjust');
    expect(plan.way.notes.join()).toContain('loginctl enable-linger alice');
    expect(words()).toContain('systemctl --user daemon-reload');
  });
});

describe('uninstall', () => {
  it.each<Via>(['systemd', 'cron', 'sysv', 'guard'])('leaves nothing of %s', (via) => {
    const before = everything().filter((path) => !path.startsWith('var'));
    install(via);
    mkdirSync(target.logs, { recursive: true });
    writeFileSync(join(target.logs, '_keeper.log'), 'x');
    writeFileSync(join(target.state, 'stopped'), 'boot=x\n');
    uninstall();
    expect(everything().filter((path) => !/^var(\/lib|\/log)?$/.test(path))).toEqual(before);
  });

  it('removes the directories that it made, and no others', () => {
    rmSync(join(root, 'etc/systemd'), { recursive: true });
    install('systemd');
    put('etc/systemd/system/multi-user.target.wants/other.service');
    uninstall();
    expect(readdirSync(join(root, 'etc/systemd/system'), { recursive: true })).toEqual([
      'multi-user.target.wants',
      'multi-user.target.wants/other.service',
    ]);
  });

  it('leaves a file alone that somebody has replaced by another', () => {
    install('cron');
    put('etc/cron.d/upkeep', 'not ours any more\n');
    uninstall();
    expect(read('etc/cron.d/upkeep')).toBe('not ours any more\n');
  });

  it('leaves the file of a keeper alone whose place only begins like ours', () => {
    install('cron');
    const theirs = read('etc/cron.d/upkeep').replaceAll(target.runtime, `${target.runtime}-2`);
    put('etc/cron.d/upkeep', theirs);
    uninstall();
    expect(read('etc/cron.d/upkeep')).toBe(theirs);
  });

  it('has nothing to do where nothing is installed', () => {
    expect(planRemoval(target, ground, null)).toEqual({ type: 'nothing' });
  });

  it('names the owner when another one is to be taken away', () => {
    install('cron');
    expect(planRemoval(target, ground, 'systemd')).toMatchObject({
      type: 'refused',
      problem: expect.stringContaining('kept by cron, not by systemd'),
    });
  });
});
