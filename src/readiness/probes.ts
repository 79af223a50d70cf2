// The port Readiness: tries until a start counts, or until it is told to stop. One wait for each service. That a start
// takes too long is the core's to judge; `alive` is its deadline too, and `fd` is seen by the kernel layer.

import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessRef } from '../core/process.js';
import type { ReadyProbe, ServiceName, ServiceSpec } from '../core/spec.js';
import type { Post, Readiness } from '../keeper/ports.js';
import { type Attempt, pauseAfter, TRY_MS } from './attempt.js';
import { type Connect, connectionProbe } from './connection.js';
import { execProbe, type RunCommand } from './exec.js';
import { type AskHeartbeat, heartbeatProbe } from './heartbeat.js';
import { httpProbe } from './http.js';
import { type LogStart, logProbe } from './log.js';

export interface ProbeParts {
  readonly post: Post;
  readonly run: RunCommand;
  readonly connect: Connect;
  readonly ask: AskHeartbeat;
  /** Where the log of a service stood at its last start, see logs/outputs.ts. */
  readonly logStart: (spec: ServiceSpec) => LogStart | null;
}

export class ReadinessProbes implements Readiness {
  readonly #parts: ProbeParts;
  readonly #waits = new Map<ServiceName, AbortController>();

  constructor(parts: ProbeParts) {
    this.#parts = parts;
  }

  await(spec: ServiceSpec, process: ProcessRef): void {
    this.cancel(spec.name);
    const attempt = this.#attemptFor(spec.ready.probe, spec, process);
    if (attempt === null) return;
    const wait = new AbortController();
    this.#waits.set(spec.name, wait);
    void this.#tryUntilReady(attempt, wait, spec, process);
  }

  cancel(service: ServiceName): void {
    this.#waits.get(service)?.abort();
    this.#waits.delete(service);
  }

  close(): void {
    for (const service of [...this.#waits.keys()]) this.cancel(service);
  }

  /** Never rejects. */
  async #tryUntilReady(attempt: Attempt, wait: AbortController, spec: ServiceSpec, process: ProcessRef): Promise<void> {
    const { probe } = spec.ready;
    const timeout = probe.type === 'exec' ? (probe.command.timeout ?? TRY_MS) : TRY_MS;
    const by = probe.type === 'exec' || probe.type === 'heartbeat' ? 'command' : 'question';
    for (let tries = 1; !wait.signal.aborted; tries += 1) {
      const outcome = await tryOnce(attempt, timeout, wait.signal);
      // An answer that comes after the end of the wait is about a start that is over.
      if (wait.signal.aborted) return;
      if (outcome === 'ready') {
        this.#waits.delete(spec.name);
        this.#parts.post({ type: 'becameReady', service: spec.name, process });
        return;
      }
      await pause(pauseAfter(tries, by), null, { signal: wait.signal }).catch(() => {});
    }
  }

  #attemptFor(probe: ReadyProbe, spec: ServiceSpec, process: ProcessRef): Attempt | null {
    switch (probe.type) {
      case 'alive':
      case 'fd':
      case 'notify':
        return null;
      case 'heartbeat':
        return heartbeatProbe(probe.name, spec, process, this.#parts.ask);
      case 'port':
        return connectionProbe({ type: 'tcp', host: probe.host, port: probe.port }, this.#parts.connect);
      case 'socket':
        return connectionProbe({ type: 'unix', path: probe.path }, this.#parts.connect);
      case 'http':
        return httpProbe(probe.url, this.#parts.connect);
      case 'exec':
        return execProbe(probe.command, spec, this.#parts.run);
      case 'log':
        return logProbe(probe.regex, () => this.#parts.logStart(spec));
    }
  }
}

/** One try with a deadline of its own. A timer of ours and not AbortSignal.timeout: that one keeps every listener until it fires. */
async function tryOnce(attempt: Attempt, timeout: number, wait: AbortSignal): Promise<'ready' | 'not yet'> {
  const limit = new AbortController();
  const end = (): void => limit.abort();
  const timer = setTimeout(end, timeout);
  wait.addEventListener('abort', end, { once: true });
  try {
    return await attempt(limit.signal);
  } catch {
    return 'not yet';
  } finally {
    clearTimeout(timer);
    wait.removeEventListener('abort', end);
  }
}
