// One command around a start or a stop: the order to run it, its deadline, and what its end means. Which of them comes next
// is decided in `way-up.ts` and `way-down.ts`.

import type { Effect } from './effect.js';
import { environmentFor } from './hook-env.js';
import { go, type Move } from './move.js';
import type { ExitStatus } from './process.js';
import type { Command, Hooks } from './spec.js';
import { isHeld, type Service, type Starting, type Stopping } from './state.js';
import { type Instant, later, type Moment } from './time.js';

export type HookRole = 'condition' | 'beforeStart' | 'afterStart' | 'beforeStop' | 'afterStop';

/** The commands of that role, in their order. */
export function commandsOf(hooks: Hooks, role: HookRole): readonly Command[] {
  return role === 'condition' ? (hooks.condition === null ? [] : [hooks.condition]) : hooks[role];
}

/** The role of the command that a service in this state runs, or waits for; null: it is not at one. */
export function roleIn(state: Starting | Stopping): HookRole | null {
  switch (state.phase) {
    case 'condition':
      return 'condition';
    case 'preparing':
      return state.name === 'stopping' ? 'beforeStart' : null;
    case 'before':
      return state.name === 'starting' ? 'beforeStart' : 'beforeStop';
    case 'after':
      return state.name === 'starting' ? 'afterStart' : 'afterStop';
    case 'turn':
    case 'exporting':
    case 'abort':
    case 'launching':
    case 'finding':
    case 'readying':
    case 'working':
    case 'ladder':
    case 'command':
    case 'commanded':
    case 'rest':
    case 'killing':
    case 'stuck':
      return null;
  }
}

/** Into this state, whose command is ordered; null: there is no such command (any more). Under a hold it is not ordered yet. */
export function runHook(service: Service, state: Starting | Stopping, at: Moment): Move | null {
  const role = roleIn(state);
  const commands = role === null ? [] : commandsOf(service.spec.hooks, role);
  if (role === null || commands.length === 0) return null;
  if (isHeld(service)) return go(service, { ...state, helper: null, deadline: null });
  const command = commands[state.hook];
  if (command === undefined) return null;
  const next = { ...state, helper: null, deadline: deadlineOf(command, at.instant) };
  const order: Effect = {
    type: 'spawn',
    spec: service.spec,
    role,
    hook: state.hook,
    generation: service.generation,
    command,
    env: environmentFor({ ...service, state: next }, role),
  };
  return go(service, next, [order]);
}

/** A generation has ended, and its commands after a stop are to run. */
export const afterEnd = (why: Stopping['why'], since: Instant): Stopping => ({
  name: 'stopping',
  since,
  process: null,
  phase: 'after',
  rung: 0,
  hook: 0,
  helper: null,
  servedSince: null,
  why,
  deadline: null,
});

/** When the command of this state has to be over, counted from there. */
export function hookDeadline(service: Service, state: Starting | Stopping, from: Instant): Instant | null {
  const role = roleIn(state);
  const command = role === null ? undefined : commandsOf(service.spec.hooks, role)[state.hook];
  return command === undefined ? null : deadlineOf(command, from);
}

const deadlineOf = ({ timeout }: Command, from: Instant): Instant | null =>
  timeout === null ? null : later(from, timeout);

/** Is the command of this state still there, or was it run at all? Answered as every reclaim is; a start and a stop go on from there. */
export function reclaimHook(service: Service, state: Starting | Stopping): readonly Effect[] {
  const role = roleIn(state);
  if (role === null || state.helper !== null) return [];
  return [{ type: 'reclaim', spec: service.spec, role, hook: state.hook, generation: service.generation }];
}

/** `its beforeStart command`, or, of several, `its 2nd beforeStart command`. */
export function hookName({ spec }: Service, role: HookRole, hook: number): string {
  const several = commandsOf(spec.hooks, role).length > 1;
  return role === 'condition' ? 'its condition' : `its ${several ? `${ordinal(hook + 1)} ` : ''}${role} command`;
}

const ordinal = (n: number): string => {
  const isTeen = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
};

/** `exited with code 3`; null: it did what it should. */
export function failureOf(status: ExitStatus): string | null {
  switch (status.type) {
    case 'exited':
      return status.code === 0 ? null : `exited with code ${status.code}`;
    case 'signaled':
      return `was killed by ${status.signal}`;
    case 'unknown':
      return null;
  }
}
