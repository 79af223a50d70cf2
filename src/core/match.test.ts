// Processes as they stand in /proc, and which patterns they are meant by.

import { describe, expect, it } from 'vitest';
import { explainMatch, type Host, matcherOf, matches } from './match.js';
import type { Pattern, ProcessFacts } from './pattern.js';
import { asPid } from './process.js';
import { programOf } from './program.js';

// Links of the host, and two names of one file.
const LINKS: Readonly<Record<string, string>> = {
  '/sbin/syslogd': '/bin/busybox',
  '/usr/bin/redis-server': '/usr/bin/redis-check-rdb',
  '/usr/local/bin/patrol': '/opt/patrol/patrol.py',
  '/etc/alternatives/d': '/usr/lib/d/d-2',
};
const host: Host = {
  file: (path) => ({ path: LINKS[path] ?? path, id: path === '/usr/bin/hard' ? '8:77' : null }),
  uid: (user) => ({ root: 0, www: 33 })[user] ?? null,
  keeper: 4000,
};

function facts(argv: readonly string[], more: Partial<ProcessFacts> = {}): ProcessFacts {
  const program = programOf(more.exe ?? argv[0] ?? null, argv);
  return {
    process: { pid: asPid(100), startTicks: 1, inode: null },
    ppid: 1,
    ancestors: [],
    uid: 0,
    comm: '',
    argv,
    exe: argv[0] ?? null,
    exeId: null,
    script: program.type === 'script' ? program.path : null,
    foreignNamespace: 'no',
    ...more,
  };
}

const line = (words: string, exe?: string): ProcessFacts => facts(words.split(' '), exe === undefined ? {} : { exe });

function pattern(by: Pattern['by'], more: Partial<Pattern> = {}): Pattern {
  return { by, pidFile: null, user: null, count: { min: 1, max: 1 }, containers: 'no', ...more };
}
const exe = (path: string): Pattern => pattern({ type: 'exe', path });
const name = (word: string): Pattern => pattern({ type: 'name', name: word });
const match = (regex: string): Pattern => pattern({ type: 'match', regex });

const PYTHON = '/usr/bin/python3.11';
const editor = line('vim /usr/sbin/sshd', '/usr/bin/vim.basic');
const tail = line('tail -f /var/log/sshd', '/usr/bin/tail');

/** Those of the processes that match, by their number in the list. */
const which = (by: Pattern, list: readonly ProcessFacts[]): readonly number[] =>
  list.flatMap((one, i) => (matches(by, one, host) ? [i] : []));

describe('a path', () => {
  it('means the executable, whatever the process calls itself', () => {
    const list = [
      line('/usr/sbin/sshd -D'),
      facts(['sshd: alice@pts/0'], { exe: '/usr/sbin/sshd' }),
      line('/usr/sbin/sshd2'),
    ];
    expect(which(exe('/usr/sbin/sshd'), list)).toEqual([0, 1]);
  });

  it('means the file that it leads to, and another name of the same file', () => {
    expect(matches(exe('/etc/alternatives/d'), line('/usr/lib/d/d-2'), host)).toBe(true);
    expect(
      matches(
        exe('/usr/bin/redis-server'),
        facts(['/usr/bin/redis-server *:6379'], { exe: '/usr/bin/redis-check-rdb' }),
        host,
      ),
    ).toBe(true);
    expect(matches(exe('/usr/bin/hard'), facts(['x'], { exe: '/usr/bin/x', exeId: '8:77' }), host)).toBe(true);
    expect(matches(exe('/usr/bin/hard'), facts(['x'], { exe: '/usr/bin/x', exeId: '8:78' }), host)).toBe(false);
  });

  it('means one applet of a busybox, not all of them', () => {
    const as = (words: string): ProcessFacts => line(words, '/bin/busybox');
    const list = [as('/sbin/syslogd -n'), as('crond -f'), as('busybox syslogd'), as('busybox crond')];
    expect(which(exe('/sbin/syslogd'), list)).toEqual([0, 2]);
    expect(which(name('crond'), list)).toEqual([1, 3]);
  });

  it('means the script of an interpreter, also through a link', () => {
    const list = [
      line('/usr/bin/python3 -u /opt/patrol/patrol.py --fast', PYTHON),
      line('/usr/bin/python3 /usr/local/bin/patrol', PYTHON),
      line('/bin/sh -e /opt/patrol/patrol.py', '/usr/bin/dash'),
      line('/bin/sh -c /opt/patrol/patrol.py', '/usr/bin/dash'),
      line('python3 -c /opt/patrol/patrol.py', PYTHON),
      line('/usr/bin/python3 /opt/other.py /opt/patrol/patrol.py', PYTHON),
    ];
    expect(which(exe('/opt/patrol/patrol.py'), list)).toEqual([0, 1, 2]);
    expect(which(exe('/usr/local/bin/patrol'), list)).toEqual([0, 1, 2]);
  });

  it('means a script that rewrote its title to its path', () => {
    const list = [
      facts(['/usr/sbin/spamd child'], { exe: '/usr/bin/perl' }),
      facts(['spamd: /usr/sbin/spamd ready'], { exe: '/usr/bin/perl' }),
    ];
    expect(which(exe('/usr/sbin/spamd'), list)).toEqual([0, 1]);
  });

  it('is not an editor, a tail, a grep or a shell that has it on its command line', () => {
    const list = [
      editor,
      tail,
      line('grep sshd /usr/sbin/sshd', '/usr/bin/grep'),
      line('bash -c /usr/sbin/sshd', '/usr/bin/bash'),
    ];
    expect(which(exe('/usr/sbin/sshd'), list)).toEqual([]);
    expect(which(name('sshd'), list)).toEqual([]);
    const unreadable = list.map((one) => ({ ...one, exe: null }));
    expect(which(exe('/usr/sbin/sshd'), unreadable)).toEqual([]);
  });

  it('is recognized by the title where the executable may not be read', () => {
    const seen = (words: readonly string[]): ProcessFacts => facts(words, { exe: null });
    const list = [
      seen(['/usr/sbin/sshd', '-D']),
      seen(['sshd: /usr/sbin/sshd -D [listener]']),
      seen(['less', '/usr/sbin/sshd']),
    ];
    expect(which(exe('/usr/sbin/sshd'), list)).toEqual([0, 1]);
  });

  it('is not ruled out by a bare name where the executable may not be read', () => {
    const judge = (argv: readonly string[]): string =>
      matcherOf(exe('/usr/lib/postfix/master'), host).judge(facts(argv, { exe: null })).match;
    expect([judge(['master', '-w']), judge(['master: ready']), judge(['other'])]).toEqual(['unseen', 'unseen', 'no']);
  });

  it('may be a glob', () => {
    const list = [
      line('/usr/sbin/php-fpm8.2'),
      line('/usr/sbin/php-fpm'),
      line('/usr/sbin/x/php-fpm8.2'),
      line('/usr/sbin/php-fpm8.2x'),
    ];
    expect(which(exe('/usr/sbin/php-fpm[0-9].[0-9]'), list)).toEqual([0]);
    expect(which(exe('/usr/{bin,sbin}/php-fpm*'), list)).toEqual([0, 1, 3]);
    expect(which(exe('/usr/**/php-fpm8.?'), list)).toEqual([0, 2]);
    expect(
      which(exe('/opt/*/*.py'), [
        line('python3 /opt/patrol/patrol.py', PYTHON),
        line('python3 /usr/local/bin/patrol', PYTHON),
      ]),
    ).toEqual([0, 1]);
  });
});

describe('a name', () => {
  it('is compared with the whole basename of executable, script and argv[0]', () => {
    const list = [
      line('/usr/sbin/cron -f'),
      line('/usr/sbin/crond'),
      line('/usr/bin/python3 /opt/cron', PYTHON),
      facts(['cron: reading /etc/x'], { exe: '/opt/cron-2.1' }),
      facts(['anacron: x'], { exe: '/opt/anacron' }),
      facts(['x', 'cron'], { exe: '/opt/x' }),
    ];
    expect(which(name('cron'), list)).toEqual([0, 2, 3]);
  });

  it('is not what comes later in a title', () => {
    expect(matches(name('bar'), facts(['foo: serving /var/www/bar'], { exe: '/usr/sbin/foo' }), host)).toBe(false);
  });

  it('is compared whole where the kernel cuts the name of the process after 15 letters', () => {
    const long = facts(['/usr/bin/a-very-long-daemon-name'], { comm: 'a-very-long-dae' });
    expect(matches(name('a-very-long-daemon-name'), long, host)).toBe(true);
    expect(matches(name('a-very-long-dae'), long, host)).toBe(false);
  });

  it('is not the init script that starts it', () => {
    const script = line('/bin/sh /etc/init.d/slapd start', '/usr/bin/dash');
    expect(matches(name('slapd'), script, host)).toBe(false);
    expect(explainMatch(name('slapd'), script, host)).toBe('it is /etc/init.d/slapd, which only starts and stops it');
    expect(matches(match('slapd'), script, host)).toBe(false);
  });

  it('may be a module', () => {
    expect(matches(name('http.server'), line('python3 -m http.server 80', PYTHON), host)).toBe(true);
    expect(
      matches(
        name('kafka.Kafka'),
        line('java -Xmx1G -cp /opt/k/* kafka.Kafka server.properties', '/usr/lib/jvm/java'),
        host,
      ),
    ).toBe(true);
  });
});

describe('an expression over the command line', () => {
  it('sees all of it', () => {
    expect(
      matches(match('celery .* worker'), line('/usr/bin/python3 /usr/bin/celery -A app worker', PYTHON), host),
    ).toBe(true);
    expect(matches(match('^/usr/bin/java .*catalina'), line('/usr/bin/java -jar x.jar', '/usr/bin/java'), host)).toBe(
      false,
    );
  });

  it('passes over programs that only name others, unless it names those itself', () => {
    const list = [
      editor,
      tail,
      line('sh -c /usr/sbin/sshd', '/usr/bin/dash'),
      line('node /usr/bin/upkeep match sshd', '/usr/bin/node'),
      line('/bin/sh /usr/sbin/service sshd restart', '/usr/bin/dash'),
      line('/bin/sh /var/lib/dpkg/info/sshd.postinst configure', '/usr/bin/dash'),
      line('sudo sshd', '/usr/bin/sudo'),
      line('/bin/sh /opt/sshd-loop', '/usr/bin/dash'),
    ];
    expect(which(match('sshd'), list)).toEqual([7]);
    expect(which(match('^tail -f .*sshd'), list)).toEqual([1]);
  });

  it('that is none matches nothing', () => {
    expect(matches(match('('), editor, host)).toBe(false);
  });
});

describe('whatever the pattern', () => {
  it('the first process, the keeper, kernel threads and zombies are never meant', () => {
    const as = (pid: number): ProcessFacts => ({
      ...line('/usr/sbin/sshd'),
      process: { pid: asPid(pid), startTicks: 1, inode: null },
    });
    for (const by of [exe('/usr/sbin/sshd'), name('sshd'), match('sshd'), pattern({ type: 'pidFile' })]) {
      expect(which(by, [as(1), as(0), as(-1), as(4000), as(2)])).toEqual([4]);
    }
    const thread = facts([], { exe: null, comm: 'sshd' });
    expect(which(name('sshd'), [thread])).toEqual([]);
    expect(explainMatch(exe('/usr/sbin/sshd'), thread, host)).toBe('it is a kernel thread, or has ended already');
  });

  it('the user narrows by number', () => {
    const www = facts(['/usr/sbin/d'], { uid: 33 });
    const list = [line('/usr/sbin/d'), www];
    expect(which(pattern({ type: 'exe', path: '/usr/sbin/d' }, { user: 'www' }), list)).toEqual([1]);
    const nobody = pattern({ type: 'name', name: 'd' }, { user: 'nosuch' });
    expect(explainMatch(nobody, www, host)).toBe('there is no user nosuch here');
  });

  it('processes of containers count only when asked for', () => {
    const inside = facts(['/usr/sbin/nginx'], { foreignNamespace: 'yes' });
    expect(matches(exe('/usr/sbin/nginx'), inside, host)).toBe(false);
    expect(matches(pattern({ type: 'exe', path: '/usr/sbin/nginx' }, { containers: 'yes' }), inside, host)).toBe(true);
    expect(explainMatch(exe('/usr/sbin/nginx'), inside, host)).toContain('containers: true');
  });

  it('the reason is told in words', () => {
    const why = (by: Pattern, of: ProcessFacts): string => explainMatch(by, of, host);
    expect(why(exe('/usr/sbin/sshd'), editor)).toBe('its executable is /usr/bin/vim.basic, not /usr/sbin/sshd');
    expect(why(exe('/usr/sbin/sshd'), line('/usr/sbin/sshd -D'))).toBe('its executable is /usr/sbin/sshd');
    expect(why(name('sshd'), tail)).toBe('it is called tail, not sshd');
    expect(why(match('sshd'), tail)).toBe('its command line matches, but it is tail, which only names it');
    expect(why(exe('/opt/patrol/patrol.py'), line('python3 /opt/patrol/patrol.py', PYTHON))).toBe(
      `it is the script /opt/patrol/patrol.py, run by ${PYTHON}`,
    );
  });
});

describe('the program behind an interpreter', () => {
  const of = (words: string): string => {
    const program = programOf(null, words.split(' '));
    return program.type === 'script'
      ? program.path
      : program.type === 'module'
        ? `module ${program.name}`
        : program.type;
  };

  it.each([
    ['sh /etc/rc.local start', '/etc/rc.local'],
    ['bash --rcfile x -o pipefail run.sh', 'run.sh'],
    ['bash -ec true', 'inline'],
    ['-bash', 'title'],
    ['perl -w -T -I /lib /usr/sbin/spamd -d', '/usr/sbin/spamd'],
    ['perl -wne print', 'inline'],
    ['perl -MPOSIX=setsid d.pl', 'd.pl'],
    ['python3 -Im gunicorn', 'module gunicorn'],
    ['python3.11 -W ignore -X dev d.py', 'd.py'],
    ['node --require ./x.cjs --max-old-space-size=512 server.js', 'server.js'],
    ['node --eval 1', 'inline'],
    ['ruby -I lib -rset puma', 'puma'],
    ['php -d a=b -f x.php', 'x.php'],
    ['php-fpm8.2 -F', 'binary'],
    ['java -Xmx1G -jar /opt/jenkins.war --httpPort=80', '/opt/jenkins.war'],
    ['java -cp a.jar org.Main', 'module org.Main'],
    ['sh -- -odd', '-odd'],
    ['sh -s x', 'x'],
    ['/usr/sbin/sshd -D', 'binary'],
  ])('%s', (words, expected) => {
    expect(of(words)).toBe(expected);
  });
});
