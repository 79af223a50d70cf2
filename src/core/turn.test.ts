import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { asPid, type ProcessRef } from './process.js';
import type { ServiceSpec } from './spec.js';
import { type Membership, newService, type Service, type ServiceState } from './state.js';
import { instant } from './time.js';
import { startsAfter, stopsAfter } from './turn.js';
import { viewOf, worldOf } from './world.js';

const since = instant(0);
const process: ProcessRef = { pid: asPid(100), startTicks: 1, inode: null };
const running: ServiceState = { name: 'running', since, process, helper: null, deadline: null };
const waiting: ServiceState = { name: 'waiting', since, for: 'turn', why: 'first', deadline: null };
const backoff: ServiceState = { name: 'backoff', since, attempt: 1, deadline: instant(100) };
const down: ServiceState = { name: 'stopped', since, why: 'requested' };
const done: ServiceState = { name: 'done', since };
const stopping = (phase: 'ladder' | 'stuck' | 'turn'): ServiceState => ({
  name: 'stopping',
  servedSince: null,
  since,
  process,
  phase,
  hook: 0,
  rung: 0,
  helper: null,
  why: 'requested',
  deadline: null,
});

const at = (spec: ServiceSpec, state: ServiceState, wish: Partial<Service> = {}): Service => ({
  ...newService(spec, since),
  state,
  ...wish,
});

const named = (name: string, wish: Parameters<typeof supervised>[0] = {}): ServiceSpec => supervised({ name, ...wish });

function viewWith(services: readonly Service[]) {
  return viewOf(worldOf(new Map(services.map((service) => [service.spec.name, service]))));
}

/** For whom the first of these waits before it starts. */
function blockersOf(...services: readonly [Service, ...Service[]]): readonly string[] {
  return startsAfter(viewWith(services), services[0]);
}

describe('a start', () => {
  const app = at(named('app', { needs: ['db'] }), waiting);

  it('waits for what it needs until that runs or is done, whatever becomes of it meanwhile (monitors 24)', () => {
    for (const state of [down, backoff, waiting, stopping('ladder')])
      expect(blockersOf(app, at(named('db'), state))).toEqual(['db']);
    for (const state of [running, done]) expect(blockersOf(app, at(named('db'), state))).toEqual([]);
  });

  it('does not wait for what is not there', () => {
    expect(blockersOf(app)).toEqual([]);
  });

  const late = at(named('late', { after: ['db'], wants: ['cache'] }), waiting);

  it('waits for what it wants and comes after only while that is on its way up', () => {
    expect(blockersOf(late, at(named('db'), waiting), at(named('cache'), stopping('ladder')))).toEqual(['cache', 'db']);
    for (const state of [down, backoff, running, done, stopping('stuck')])
      expect(blockersOf(late, at(named('db'), state))).toEqual([]);
    const hold = { by: null, since: 0 as never, until: null, reason: null };
    expect(blockersOf(late, at(named('db'), waiting, { hold }))).toEqual([]);
    expect(blockersOf(late, at(named('db', { desired: 'down' }), stopping('ladder')))).toEqual([]);
  });

  it('does not wait for one that waits in vain, over however many', () => {
    const db = at(named('db', { needs: ['disk'] }), waiting);
    const disk = at(named('disk', { needs: ['bus'] }), waiting);
    expect(blockersOf(late, db, disk, at(named('bus'), backoff))).toEqual([]);
    expect(blockersOf(late, db, disk, at(named('bus'), waiting))).toEqual(['db']);
  });

  const drawn: Membership = { id: 'x@1', step: 'down', ahead: ['x' as never] };

  it('waits for the partner that its own end drew in, as long as that is on its way', () => {
    const x = at(named('x'), waiting);
    const partner = (state: ServiceState, wave: Membership | null) =>
      at(named('partner', { restartWith: ['x'] }), state, { wave });
    expect(blockersOf(x, partner(stopping('ladder'), drawn))).toEqual(['partner']);
    expect(blockersOf(x, partner(waiting, drawn))).toEqual(['partner']);
    expect(blockersOf(x, partner(backoff, drawn))).toEqual([]);
    expect(blockersOf(x, partner(running, { ...drawn, step: 'settled' }))).toEqual([]);
    expect(blockersOf(x, partner(waiting, null))).toEqual([]);
  });

  it('does not wait for a partner that itself comes after it, directly or over others', () => {
    const x = at(named('x'), waiting);
    const direct = at(named('partner', { restartWith: ['x'], needs: ['x'] }), waiting, { wave: drawn });
    expect(blockersOf(x, direct)).toEqual([]);
    const over = at(named('partner', { restartWith: ['x'], after: ['mid'] }), waiting, { wave: drawn });
    expect(blockersOf(x, over, at(named('mid', { wants: ['x'] }), waiting))).toEqual([]);
  });

  it('is not blocked by two partners that each drew the other in', () => {
    const one = at(named('one', { restartWith: ['two'] }), waiting, { wave: { ...drawn, ahead: ['two' as never] } });
    const two = at(named('two', { restartWith: ['one'] }), waiting, { wave: { ...drawn, ahead: ['one' as never] } });
    expect(blockersOf(one, two)).toEqual([]);
    expect(blockersOf(two, one)).toEqual([]);
  });
});

describe('a stop', () => {
  const db = at(named('db'), stopping('turn'));
  const by = (...others: readonly Service[]) => stopsAfter(viewWith([db, ...others]), db);

  it('waits for those that come after it and are going down, by needs, wants or after (monitors 25)', () => {
    const others = [{ needs: ['db'] }, { wants: ['db'] }, { after: ['db'] }].map((wish, index) =>
      at(named(`s${index}`, wish), stopping('ladder')),
    );
    expect(by(...others)).toEqual(['s0', 's1', 's2']);
  });

  it('waits for nobody that stays, is down, is stuck, is on hold, or is only a partner (monitors 25)', () => {
    const needs = ['db'];
    const hold = { by: null, since: 0 as never, until: null, reason: null };
    expect(by(at(named('up', { needs }), running))).toEqual([]);
    expect(by(at(named('off', { needs }), down))).toEqual([]);
    expect(by(at(named('hung', { needs }), stopping('stuck')))).toEqual([]);
    expect(by(at(named('held', { needs }), stopping('ladder'), { hold }))).toEqual([]);
    expect(by(at(named('partner', { restartWith: ['db'] }), stopping('ladder')))).toEqual([]);
  });
});
