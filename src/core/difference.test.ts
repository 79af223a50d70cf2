import { describe, expect, it } from 'vitest';
import { command, supervised, watched } from '../../test/support/builders.js';
import { changedKeys, isEqual, needsRestart } from './difference.js';
import { applyEvents, planOf } from './plan.js';
import { asPid } from './process.js';
import type { ServiceSpec } from './spec.js';
import { newService, type Service } from './state.js';
import { instant, seconds } from './time.js';

const web = supervised({ name: 'web' });
const running = (spec: ServiceSpec): Service => ({
  ...newService(spec, instant(0)),
  state: {
    name: 'running',
    since: instant(0),
    process: { pid: asPid(9), startTicks: 1, inode: null },
    helper: null,
    deadline: null,
  },
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
    ['web', running(web)],
    ['old', running(supervised({ name: 'old' }))],
    ['same', running(supervised({ name: 'same' }))],
  ]);
  const coming: readonly ServiceSpec[] = [
    { ...web, settings: { ...web.settings, cwd: '/tmp' } },
    supervised({ name: 'same' }),
    supervised({ name: 'fresh' }),
  ];

  it('says service by service what would happen', () => {
    expect(planOf(set, coming).map(({ name, action }) => `${name} ${action}`)).toEqual([
      'web restart',
      'same none',
      'fresh start',
      'old remove',
    ]);
  });

  it('touches only what changed', () => {
    expect(applyEvents(set, coming, instant(0)).map(({ type, service }) => `${service} ${type}`)).toEqual([
      'old removed',
      'web changed',
      'fresh added',
    ]);
  });
});
