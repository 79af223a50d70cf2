// A keeper of the built program, as a process of its own, with everything in one directory, and the commands that talk
// to it. For system tests; ends what it started.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ServiceStatus, Status } from '../../src/core/status.js';

const UPKEEP = fileURLToPath(new URL('../../bin/upkeep', import.meta.url));

export interface Ran {
  /** null: it was ended by a signal. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class KeeperProcess {
  readonly directory: string;
  readonly file: string;
  #child: ChildProcess | null = null;
  #said = '';

  constructor(configuration: string) {
    // Not below /tmp: a keeper that runs as root does not believe a file in a directory that anybody may write.
    this.directory = mkdtempSync(join(homedir(), '.upkeep-test-'));
    this.file = join(this.directory, 'upkeep.yaml');
    this.write(configuration);
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      UPKEEP_CONFIG: this.file,
      UPKEEP_RUNTIME_DIR: join(this.directory, 'run'),
      UPKEEP_STATE_DIR: join(this.directory, 'state'),
      UPKEEP_LOG_DIR: join(this.directory, 'log'),
      NO_COLOR: '1',
    };
  }

  /** What the keeper has written to its own output. */
  get said(): string {
    return this.#said;
  }

  write(configuration: string): void {
    writeFileSync(this.file, configuration);
  }

  log(service: string): string {
    return readFileSync(join(this.directory, 'log', `${service}.log`), 'latin1');
  }

  /** Starts the keeper, and waits until it answers. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [UPKEEP, 'run'], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
      });
    }
    await expect
      .poll(async () => (await this.run('status', '--json')).code !== 4 || child.exitCode !== null, {
        timeout: 30_000,
        interval: 100,
      })
      .toBe(true);
    if (child.exitCode !== null) throw new Error(`the keeper ended with ${child.exitCode}:\n${this.#said}`);
  }

  /** Runs one command to its end. */
  run(...argv: readonly string[]): Promise<Ran> {
    return this.begin(...argv).ended;
  }

  /** Begins one command; the test goes on beside it. */
  begin(...argv: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ran> } {
    const child = spawn(process.execPath, [UPKEEP, ...argv], {
      env: this.environment,
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      texts.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      texts.err += text;
    });
    const ended = once(child, 'close').then(([code]: (number | null)[]): Ran => ({ code: code ?? null, ...texts }));
    return { child, ended };
  }

  async status(): Promise<Status> {
    const { out, err } = await this.run('status', '--json');
    if (out === '') throw new Error(`no status: ${err}\n${this.#said}`);
    const status: Status = JSON.parse(out);
    return status;
  }

  async service(name: string): Promise<ServiceStatus> {
    const service = (await this.status()).services.find((one) => one.name === name);
    if (service === undefined) throw new Error(`there is no ${name}`);
    return service;
  }

  /** Waits until the service is in this state. */
  async until(name: string, state: ServiceStatus['state']): Promise<ServiceStatus> {
    await expect.poll(async () => (await this.service(name)).state, { timeout: 30_000, interval: 100 }).toBe(state);
    return this.service(name);
  }

  /** Ends the keeper with its services, and leaves nothing behind. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      // Asked twice it does not wait for services that take their time.
      const timer = setTimeout(() => child.kill('SIGTERM'), 5_000);
      await ended;
      clearTimeout(timer);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
