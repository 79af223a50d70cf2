// What the commands around a service are told in their environment: why they run, how the last generation ended, and which
// process is the main one. The names and meanings of SERVICE_RESULT, EXIT_CODE, EXIT_STATUS and MAINPID are those of
// systemd.exec(5). UPKEEP_SERVICE and its like are the kernel's, who puts them into every process.

import type { Death } from './death.js';
import type { Role } from './effect.js';
import type { ExitStatus } from './process.js';
import { isSuccess } from './restart.js';
import type { RestartSpec } from './spec.js';
import { mainOf, type Service } from './state.js';

export type Environment = Readonly<Record<string, string>>;

/** What a command of that role finds in its environment beside what every process of the service finds there. `react`: it stands for a failed heartbeat. */
export function environmentFor(service: Service, role: Role | 'react'): Environment {
  switch (role) {
    case 'main':
    case 'start':
      return {};
    case 'stop':
    case 'restart':
    case 'reload':
    case 'react':
      return mainPid(service);
    case 'condition':
    case 'beforeStart':
      return { ...causeOf(service), ...resultOf(service) };
    case 'afterStart':
    case 'beforeStop':
      return { ...causeOf(service), ...mainPid(service) };
    case 'afterStop':
      return { ...causeOf(service), ...resultOf(service) };
  }
}

function mainPid(service: Service): Environment {
  const process = mainOf(service);
  return process === null ? {} : { MAINPID: String(process.pid) };
}

function causeOf(service: Service): Environment {
  const cause = causeText(service);
  return cause === null ? {} : { UPKEEP_CAUSE: cause };
}

function causeText({ state, lastDeath }: Service): string | null {
  const died = lastDeath?.cause ?? null;
  if (state.name === 'starting') {
    switch (state.why) {
      case 'first':
      case 'requested':
      case 'coupling':
      case 'condition':
      case 'connection':
        return state.why;
      case 'restart':
      case 'retry':
        return died ?? 'first';
    }
  }
  if (state.name !== 'stopping') return null;
  switch (state.why) {
    case 'requested':
    case 'changed':
    case 'coupling':
    case 'start-timeout':
      return state.why;
    case 'restart-command':
      return 'requested';
    case 'heartbeat':
    case 'heartbeat-stop':
      return 'heartbeat';
    case 'planned':
      return 'planned';
    case 'watchdog':
      return 'watchdog';
    case 'ended':
    case 'hook':
      return died;
    case 'done':
      return 'exit';
  }
}

/** How the generation ended, or before a start the one before; nothing where there was none. */
function resultOf({ state, lastDeath, spec, restarts }: Service): Environment {
  const isAfter = state.name === 'stopping';
  // A stop before there was a process: the last death is that of an earlier generation.
  const isOld = isAfter && lastDeath !== null && lastDeath.at < (restarts.lastStart ?? 0);
  if (isAfter && (state.why === 'done' || isOld || lastDeath === null)) return { SERVICE_RESULT: 'success' };
  if (lastDeath === null) return {};
  const result = { SERVICE_RESULT: resultText(spec.restart, lastDeath) };
  // What a start came to grief by, before there was a main process, is no status of that.
  return lastDeath.process === null ? result : { ...result, ...exitOf(lastDeath.status) };
}

function resultText(rule: RestartSpec, { cause, status, oom, process }: Death): string {
  if (oom === 'yes') return 'oom-kill';
  switch (cause) {
    case 'oom':
      return 'oom-kill';
    case 'watchdog':
    case 'heartbeat':
      return 'watchdog';
    case 'start-timeout':
      return 'timeout';
    case 'spawn':
      return 'resources';
    case 'requested':
    case 'coupling':
      return status.type === 'unknown' || isSuccess(rule, status) ? 'success' : failureText(status);
    case 'exit':
    case 'signal':
    case 'limit':
    case 'gone':
      return process !== null && isSuccess(rule, status) ? 'success' : failureText(status);
  }
}

function failureText(status: ExitStatus): string {
  if (status.type !== 'signaled') return 'exit-code';
  return status.coreDumped ? 'core-dump' : 'signal';
}

function exitOf(status: ExitStatus): Environment {
  switch (status.type) {
    case 'exited':
      return { EXIT_CODE: 'exited', EXIT_STATUS: String(status.code) };
    case 'signaled':
      return { EXIT_CODE: status.coreDumped ? 'dumped' : 'killed', EXIT_STATUS: status.signal.replace(/^SIG/, '') };
    case 'unknown':
      return {};
  }
}
