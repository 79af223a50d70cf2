import { describe, expect, it } from 'vitest';
import { command, runningService, supervised, watched } from '../../test/support/builders.js';
import { changedKeys, isEqual, needsRestart } from './difference.js';
import { applyEvents, planOf } from './plan.js';
import type { SocketSpec } from './socket.js';
import { type ServiceSpec, type Supervised, serviceName } from './spec.js';
import { newService } from './state.js';
import { instant, seconds } from './time.js';

const web = supervised({ name: 'web' });

const socketOf = (name: string, port: number): SocketSpec => ({
  name,
  address: { type: 'tcp', host: null, port },
  backlog: 4096,
  lazy: 'no',
  freebind: 'no',
  reusePort: 'no',
});

describe('a new definition', () => {
  it('of words, thresholds and rules needs no new process (monitors 35)', () => {
    const other: ServiceSpec = {
      ...web,
      description: 'new',
      tags: ['a'],
      runbook: 'http://x',
      restart: { ...web.restart, slowEvery: seconds(5) },
      ready: { ...web.ready, timeout: seconds(1) },
    };
    expect(needsRestart(web, other)).toEqual([]);
    expect(changedKeys(web, other)).toEqual(['description', 'runbook', 'tags', 'ready', 'restart']);
  });

  it('of what a process is born with needs one, and says for which keys', () => {
    expect(needsRestart(web, { ...web, settings: { ...web.settings, env: { A: '1' }, umask: 0o77 } })).toEqual([
      'umask',
      'env',
    ]);
    expect(needsRestart(web, supervised({ name: 'web', run: '/srv/web --new' }))).toEqual(['run']);
    expect(needsRestart({ ...web, settings: { ...web.settings, env: { A: '1' } } }, web)).toEqual(['env']);
  });

  it('of its neighbours, its hooks and what is made and removed before a start is live, and said key by key', () => {
    const other: ServiceSpec = {
      ...web,
      coupling: {
        needs: [{ service: serviceName('db'), grace: seconds(5), onReload: 'nothing' }],
        wants: [],
        after: [],
        restartWith: [serviceName('agent')],
      },
      hooks: { ...web.hooks, condition: command('test -e /srv/web') },
      directories: [{ path: '/run/web', mode: 0o755 }],
      clean: ['/run/web/socket'],
    };
    expect(needsRestart(web, other)).toEqual([]);
    expect(changedKeys(web, other)).toEqual(['directories', 'clean', 'hooks', 'needs', 'restartWith']);
  });

  it('of what a process is told at its birth needs one: sockets, and that it may store, speak or has to', () => {
    const having = (wish: Partial<ServiceSpec>): ServiceSpec => ({ ...web, ...wish });
    const [http, admin] = [socketOf('http', 80), socketOf('admin', 81)];
    const held = having({ sockets: [http, admin] });
    expect(needsRestart(web, held)).toEqual(['sockets']);
    expect(needsRestart(held, having({ sockets: [http] }))).toEqual(['sockets']);
    expect(needsRestart(held, having({ sockets: [http, { ...admin, backlog: 5 }] }))).toEqual(['sockets']);
    expect(needsRestart(web, having({ watchdog: seconds(5) }))).toEqual(['watchdog']);
    expect(needsRestart(having({ watchdog: seconds(5) }), having({ watchdog: seconds(6) }))).toEqual(['watchdog']);
    expect(needsRestart(web, having({ fdStore: 4, notifyAccess: 'main' }))).toEqual(['fdStore', 'notify']);
  });

  it('of how it is replaced is live, and so is the rest of what it is told', () => {
    const before: ServiceSpec = {
      ...web,
      sockets: [socketOf('http', 80), socketOf('admin', 81)],
      fdStore: 4,
      notifyAccess: 'main',
    };
    const after: ServiceSpec = {
      ...before,
      sockets: [socketOf('admin', 81), { ...socketOf('http', 80), lazy: 'yes' }],
      fdStore: 8,
      notifyAccess: 'all',
      handover: { ...web.handover, mode: 'overlap' },
    };
    expect(needsRestart(before, after)).toEqual([]);
    expect(changedKeys(before, after)).toEqual(['sockets', 'fdStore', 'handover', 'notify']);
  });

  it('of a oneshot that was none, or is none any more, means that it runs again', () => {
    const once: ServiceSpec = { ...web, kind: { ...web.kind, oneshot: 'yes' } as Supervised };
    expect(needsRestart(web, once)).toEqual(['oneshot']);
    expect(changedKeys(once, web)).toEqual(['oneshot']);
  });

  it('of the commands of a watched daemon is live; of its pattern it means another daemon', () => {
    const ssh = watched({ name: 'ssh' });
    expect(needsRestart(ssh, watched({ name: 'ssh', start: command('service ssh start') }))).toEqual([]);
    expect(changedKeys(ssh, watched({ name: 'ssh', start: command('service ssh start') }))).toEqual(['start']);
    expect(needsRestart(ssh, watched({ name: 'ssh', pattern: { user: 'root' } }))).toEqual(['watch']);
  });

  it('does not care for the order of keys', () => {
    expect(isEqual({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
    expect(isEqual({ a: 1 }, { a: 1, b: undefined })).toBe(false);
    expect(isEqual([1], { 0: 1 })).toBe(false);
  });
});

describe('a plan', () => {
  const set = new Map([
    ['web', runningService(web)],
    ['old', runningService(supervised({ name: 'old' }))],
    ['same', runningService(supervised({ name: 'same' }))],
  ]);
  const coming: readonly ServiceSpec[] = [
    { ...web, settings: { ...web.settings, cwd: '/tmp' } },
    supervised({ name: 'same' }),
    supervised({ name: 'fresh' }),
  ];

  it('says service by service what would happen', () => {
    expect(planOf(set, coming).map(({ name, action }) => `${name} ${action}`)).toEqual([
      'old remove',
      'web restart',
      'fresh start',
      'same none',
    ]);
  });

  it('touches only what changed', () => {
    expect(applyEvents(set, coming, instant(0)).map(({ type, service }) => `${service} ${type}`)).toEqual([
      'old removed',
      'web changed',
      'fresh added',
    ]);
  });

  it('runs a oneshot again that was done under another definition', () => {
    const once: ServiceSpec = { ...web, kind: { ...web.kind, oneshot: 'yes' } as Supervised };
    const done = new Map([
      ['web', { ...newService(once, instant(0)), state: { name: 'done', since: instant(0) } } as const],
    ]);
    const other = supervised({ name: 'web', run: '/srv/web --new' });
    const next: ServiceSpec = { ...other, kind: { ...other.kind, oneshot: 'yes' } as Supervised };
    expect(planOf(done, [next])[0]).toEqual({
      name: 'web',
      action: 'start',
      keys: ['run'],
      why: 'runs again with its new definition',
    });
  });
});
