// Process tables of real daemons, as `ps` shows them, and which process of each is the service.

import { describe, expect, it } from 'vitest';
import {
  chooseMain,
  findSuccessor,
  type Look,
  type Memory,
  type Pattern,
  type PidFile,
  type ProcessFacts,
} from './pattern.js';
import { asPid } from './process.js';

interface Row {
  readonly uid?: number;
  readonly at?: number;
  readonly exe?: string;
  readonly above?: readonly number[];
}

/** One line of a process table; the start tick is the pid unless `at` says otherwise. */
function row(pid: number, ppid: number, argv: string | readonly string[], more: Row = {}): ProcessFacts {
  const words = typeof argv === 'string' ? argv.split(' ') : argv;
  return {
    process: { pid: asPid(pid), startTicks: more.at ?? pid, inode: null },
    ppid,
    ancestors: ppid > 1 ? [ppid, ...(more.above ?? [])] : [],
    uid: more.uid ?? 0,
    comm: '',
    argv: words,
    exe: more.exe ?? words[0] ?? null,
    exeId: null,
    script: null,
    foreignNamespace: 'no',
  };
}

const title = (text: string): readonly string[] => [text];

function pattern(path: string, more: Partial<Pattern> = {}): Pattern {
  return { by: { type: 'exe', path }, pidFile: null, user: null, count: { min: 1, max: 1 }, containers: 'no', ...more };
}

function look(
  matches: readonly ProcessFacts[],
  pidFile: PidFile = { type: 'none' },
  unseen: string | null = null,
): Look {
  return { matches, pidFile, unseen };
}

const fresh: Memory = { identity: null, deadSince: null };
const names = (pid: number): PidFile => ({ type: 'names', pid });

/** The choice in few words: the pid of the main process, or what came instead. */
function chosen(of: Pattern, what: Look, memory: Memory = fresh): number | string {
  const choice = chooseMain(of, what, memory);
  switch (choice.type) {
    case 'main':
      return choice.facts.process.pid;
    case 'ambiguous':
      return `ambiguous: ${choice.pids.join(', ')}`;
    case 'unseen':
      return `unseen: ${choice.reason}`;
    case 'none':
      return 'none';
  }
}

const SSHD = '/usr/sbin/sshd';
const sshd = pattern(SSHD);
const listener = (pid: number, at = pid): ProcessFacts =>
  row(pid, 1, title(`sshd: ${SSHD} -D [listener] 0 of 10-100 startups`), { exe: SSHD, at });
const session = (pid: number, ppid: number, at = pid): ProcessFacts =>
  row(pid, ppid, title('sshd: alice [priv]'), { exe: SSHD, at });
const terminal = (pid: number, ppid: number, at = pid): ProcessFacts =>
  row(pid, ppid, title('sshd: alice@pts/0'), { exe: SSHD, at, uid: 1000 });

describe('sshd', () => {
  it('is its listener, not the sessions below it', () => {
    expect(chosen(sshd, look([terminal(902, 901), session(901, 812), listener(812)]))).toBe(812);
  });

  it('is nothing when only orphaned sessions are left, also for a keeper that has just come', () => {
    expect(chosen(sshd, look([session(901, 1), terminal(902, 901)]))).toBe('none');
  });

  it('is the new listener beside orphaned sessions of the old one', () => {
    const table = look([session(901, 1), terminal(902, 901), listener(1200)]);
    expect(chosen(sshd, table)).toBe(1200);
    expect(chosen(sshd, table, { identity: { uid: 0, argv: [SSHD] }, deadSince: 1000 })).toBe(1200);
  });

  it('does not hand over to a session when the listener is killed', () => {
    const dead = { process: listener(812).process, identity: { uid: 0, argv: listener(812).argv } };
    const table = look([session(901, 1), terminal(902, 901)]);
    expect(findSuccessor(sshd, table, { ...dead, abnormal: 'yes' })).toBeNull();
    expect(findSuccessor(sshd, table, { ...dead, abnormal: 'no' })).toBeNull();
  });

  it('is not the one that somebody debugs from within a session', () => {
    const shellAbove = { above: [902, 901, 812] };
    const debugged = row(1300, 1250, '/usr/sbin/sshd -d -p 2222', shellAbove);
    expect(chosen(sshd, look([listener(812), session(901, 812), terminal(902, 901), debugged]))).toBe(812);
  });

  it('is ambiguous with two listeners, and the pid file settles it', () => {
    const both = [row(990, 1, '/usr/sbin/sshd -D -p 2222'), row(812, 1, '/usr/sbin/sshd -D')];
    expect(chosen(sshd, look(both))).toBe('ambiguous: 812, 990');
    expect(chosen(sshd, look(both, names(990)))).toBe(990);
    expect(chosen(sshd, look(both, { type: 'refused', reason: 'is empty' }))).toBe('ambiguous: 812, 990');
    expect(chosen(sshd, look(both, names(4711)))).toBe('ambiguous: 812, 990');
  });

  it('keeps its main process when the pid file is removed, empty or refused (monitors 5)', () => {
    for (const pidFile of [{ type: 'none' }, { type: 'refused', reason: 'is empty' }] as const) {
      expect(chosen(sshd, look([listener(812)], pidFile))).toBe(812);
    }
  });
});

describe('apache with prefork', () => {
  const apache2 = pattern('/usr/sbin/apache2');
  const line = '/usr/sbin/apache2 -k start';
  const worker = (pid: number, ppid: number): ProcessFacts => row(pid, ppid, line, { uid: 33 });
  const master = row(700, 1, line);

  it('is the master', () => {
    expect(chosen(apache2, look([worker(703, 700), master, worker(704, 700)]))).toBe(700);
  });

  it('is nothing while only workers of the killed master are left', () => {
    const orphans = look([worker(703, 1), worker(704, 1)]);
    const dead = { process: master.process, identity: { uid: 0, argv: master.argv } };
    expect(findSuccessor(apache2, orphans, { ...dead, abnormal: 'yes' })).toBeNull();
    expect(chosen(apache2, orphans, { identity: dead.identity, deadSince: 2000 })).toBe('none');
  });

  it('is the new master beside them, and a CGI program that an orphan starts is not', () => {
    const cgi = row(2200, 703, line, { uid: 33, at: 2200 });
    const table = look([worker(703, 1), row(2100, 1, line), worker(2101, 2100), cgi]);
    expect(chosen(apache2, table, { identity: { uid: 0, argv: master.argv }, deadSince: 2000 })).toBe(2100);
  });

  it('cannot be told from its workers by a keeper that has just come, and says so', () => {
    expect(chosen(apache2, look([worker(703, 1), worker(704, 1)]))).toBe('ambiguous: 703, 704');
  });
});

describe('nginx', () => {
  const nginx = pattern('/usr/sbin/nginx', { pidFile: '/run/nginx.pid' });
  const exe = '/usr/sbin/nginx';
  const master = (pid: number, ppid: number): ProcessFacts =>
    row(pid, ppid, title('nginx: master process /usr/sbin/nginx'), { exe });
  const worker = (pid: number, ppid: number, above: readonly number[] = []): ProcessFacts =>
    row(pid, ppid, title('nginx: worker process'), { exe, uid: 33, above });
  // After USR2 the new master is a child of the old one, until that leaves.
  const both = [master(500, 1), worker(501, 500), master(600, 500), worker(601, 600, [500])];

  it('is the old master while the pid file names it, the new one as soon as it names that (supervisors 18, monitors 4)', () => {
    expect(chosen(nginx, look(both, names(500)))).toBe(500);
    expect(chosen(nginx, look(both, names(600)))).toBe(600);
  });

  it('hands over to the new master when the old one leaves, by the pid file or without one (monitors 4)', () => {
    const dead = { process: master(500, 1).process, identity: { uid: 0, argv: master(500, 1).argv } };
    const left = [master(600, 1), worker(601, 600)];
    expect(findSuccessor(nginx, look(left, names(600)), { ...dead, abnormal: 'no' })?.process.pid).toBe(600);
    expect(findSuccessor(nginx, look(left), { ...dead, abnormal: 'no' })?.process.pid).toBe(600);
  });

  it('hands over after a crash only to a master with workers of its own', () => {
    const dead = {
      process: master(500, 1).process,
      identity: { uid: 0, argv: master(500, 1).argv },
      abnormal: 'yes',
    } as const;
    expect(findSuccessor(nginx, look([master(600, 1), worker(601, 600)]), dead)?.process.pid).toBe(600);
    expect(findSuccessor(nginx, look([master(600, 1)]), dead)).toBeNull();
    expect(findSuccessor(nginx, look([worker(501, 1)]), dead)).toBeNull();
  });

  it('follows a master that was already there when the old one died, later too', () => {
    const memory = { identity: { uid: 0, argv: master(500, 1).argv }, deadSince: 900 };
    expect(chosen(nginx, look([master(600, 1), worker(601, 600)]), memory)).toBe(600);
  });
});

describe('other daemons', () => {
  it('gunicorn: an orphaned worker has the line of its master and is not its successor after SIGKILL', () => {
    const line = '/usr/bin/python3 /usr/bin/gunicorn app:app';
    const by = pattern('/usr/bin/gunicorn');
    const dead = { process: row(300, 1, line).process, identity: { uid: 0, argv: line.split(' ') } };
    const orphan = look([row(301, 1, line)]);
    expect(chosen(by, look([row(301, 300, line), row(300, 1, line)]))).toBe(300);
    expect(findSuccessor(by, orphan, { ...dead, abnormal: 'yes' })).toBeNull();
    expect(findSuccessor(by, orphan, { ...dead, abnormal: 'no' })?.process.pid).toBe(301);
    expect(chosen(by, orphan, { identity: dead.identity, deadSince: 400 })).toBe('none');
  });

  it('php-fpm and postgres: the process that the others hang from', () => {
    const fpm = { exe: '/usr/sbin/php-fpm8.2' };
    const fpmMaster = row(41, 1, title('php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)'), fpm);
    const fpmTable = [row(42, 41, title('php-fpm: pool www'), fpm), fpmMaster];
    expect(chosen(pattern('/usr/sbin/php-fpm8.2'), look(fpmTable))).toBe(41);
    const exe = '/usr/lib/postgresql/15/bin/postgres';
    const postmaster = row(51, 1, `${exe} -D /var/lib/postgresql/15/main`);
    const writer = row(52, 51, title('postgres: 15/main: walwriter'), { exe });
    expect(chosen(pattern(exe), look([writer, postmaster]))).toBe(51);
    expect(chosen(pattern(exe), look([{ ...writer, ppid: 1, ancestors: [] }]))).toBe('none');
  });

  it('slapd: the child of a double fork, once its parent has left', () => {
    const slapd = pattern('/usr/sbin/slapd');
    const line = '/usr/sbin/slapd -h ldap:/// -g openldap -u openldap';
    expect(chosen(slapd, look([row(61, 60, line), row(60, 55, line)]))).toBe(60);
    expect(chosen(slapd, look([row(61, 1, line)]))).toBe(61);
    const dead = {
      process: row(60, 55, line).process,
      identity: { uid: 0, argv: line.split(' ') },
      abnormal: 'no',
    } as const;
    expect(findSuccessor(slapd, look([row(61, 1, line)]), dead)?.process.pid).toBe(61);
  });

  it('hands over to nobody of another user, with another line, or twice', () => {
    const by = pattern('/usr/bin/d');
    const dead = {
      process: row(9, 1, '/usr/bin/d').process,
      identity: { uid: 0, argv: ['/usr/bin/d'] },
      abnormal: 'no',
    } as const;
    expect(findSuccessor(by, look([row(10, 1, '/usr/bin/d', { uid: 7 })]), dead)).toBeNull();
    expect(findSuccessor(by, look([row(10, 1, '/usr/bin/d -x')]), dead)).toBeNull();
    expect(findSuccessor(by, look([row(10, 1, '/usr/bin/d'), row(11, 1, '/usr/bin/d')]), dead)).toBeNull();
    expect(findSuccessor(by, look([row(9, 1, '/usr/bin/d')]), dead)).toBeNull();
    expect(findSuccessor(by, look([row(10, 1, '/usr/bin/d')]), { ...dead, identity: null })).toBeNull();
  });

  it('the pid of the dead one with another start is a stranger that may match', () => {
    const by = pattern('/usr/bin/d');
    const dead = { process: row(9, 1, '/usr/bin/d').process, identity: null, abnormal: 'yes' } as const;
    expect(findSuccessor(by, look([row(9, 1, '/usr/bin/d')], names(9)), dead)).toBeNull();
    expect(findSuccessor(by, look([row(9, 1, '/usr/bin/d', { at: 5000 })], names(9)), dead)?.process.startTicks).toBe(
      5000,
    );
  });
});

describe('a count', () => {
  const several = pattern('/usr/bin/w', { count: { min: 2, max: 3 } });
  const some = (n: number): readonly ProcessFacts[] =>
    Array.from({ length: n }, (_, i) => row(20 - i, 1, '/usr/bin/w'));

  it('of several follows the oldest, and too few are as good as none', () => {
    expect([1, 2, 3, 4].map((n) => chosen(several, look(some(n))))).toEqual([
      'none',
      19,
      18,
      'ambiguous: 17, 18, 19, 20',
    ]);
  });

  it('lets the others go on when one of them dies', () => {
    const dead = { process: row(10, 1, '/usr/bin/w').process, identity: null, abnormal: 'yes' } as const;
    expect(findSuccessor(several, look(some(2)), dead)?.process.pid).toBe(19);
    expect(findSuccessor(several, look(some(1)), dead)).toBeNull();
    expect(chosen(several, look(some(2)), { identity: null, deadSince: 10_000 })).toBe(19);
  });
});

describe('what cannot be seen', () => {
  it('makes nothing found unseen, and does not hide what was found', () => {
    expect(chosen(sshd, look([], { type: 'none' }, '/proc hides the processes of others'))).toBe(
      'unseen: /proc hides the processes of others',
    );
    expect(chosen(sshd, look([listener(812)], { type: 'none' }, 'some'))).toBe(812);
  });

  it('a start in the same tick as the death is a new one, an earlier one is left over', () => {
    const memory = { identity: null, deadSince: 1000 };
    expect(chosen(sshd, look([listener(812, 1000)]), memory)).toBe(812);
    expect(chosen(sshd, look([listener(812, 999)]), memory)).toBe('none');
  });
});
