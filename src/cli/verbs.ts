// What each command does: loaded when it is called, and nothing else with it.

import type { Verb } from './input.js';

type Load = () => Promise<Verb>;

const act: Load = async () => (await import('./act.js')).act;

/** By the name in the table of commands. */
export const verbs: Readonly<Record<string, Load>> = {
  run: async () => (await import('./run.js')).run,
  shutdown: async () => (await import('./shutdown.js')).shutdown,
  upgrade: async () => (await import('./upgrade.js')).upgrade,
  install: async () => (await import('./install.js')).install,
  uninstall: async () => (await import('./uninstall.js')).uninstall,
  once: async () => (await import('./once.js')).once,
  status: async () => (await import('./status.js')).status,
  why: async () => (await import('./why.js')).why,
  graph: async () => (await import('./graph.js')).graph,
  history: async () => (await import('./history.js')).history,
  logs: async () => (await import('./logs.js')).logs,
  wait: async () => (await import('./wait.js')).wait,
  start: act,
  stop: act,
  restart: act,
  reload: act,
  hold: act,
  unhold: act,
  reset: act,
  ack: async () => (await import('./ack.js')).ack,
  signal: act,
  check: async () => (await import('./check.js')).check,
  plan: async () => (await import('./plan.js')).plan,
  apply: async () => (await import('./apply.js')).apply,
  explain: async () => (await import('./explain.js')).explainService,
  classes: async () => (await import('./classes.js')).classes,
  test: async () => (await import('./test.js')).test,
  fds: async () => (await import('./fds.js')).fds,
  match: async () => (await import('./match.js')).match,
  init: async () => (await import('./init.js')).init,
  notice: async () => (await import('./notice.js')).notice,
  schema: async () => (await import('./schema.js')).schema,
  help: async () => (await import('./help.js')).help,
  completion: async () => (await import('./completion.js')).completion,
  version: async () => (await import('./version.js')).version,
  __complete: async () => (await import('./complete.js')).complete,
};
