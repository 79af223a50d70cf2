// A host without a machine: a process table with groups, parents, signals, PID files and a small range of PIDs that
// are used again, acted out on the simulated clock. Knows nothing of services and of the keeper.

import type { PidFile, ProcessFacts } from '../../src/core/pattern.js';
import { asPid, type ExitEvidence, type ExitStatus, isSameProcess, type ProcessRef } from '../../src/core/process.js';
import { type Doing, type Program, program } from './program.js';
import type { SimulatedClock } from './simulated-clock.js';

export interface SimulatedProcess {
  readonly ref: ProcessRef;
  ppid: number;
  readonly group: number;
  readonly uid: number;
  readonly argv: readonly string[];
  readonly exe: string;
  readonly program: Program;
  readonly born: number;
  /** `frozen`: stopped by SIGSTOP. */
  life: 'alive' | 'frozen' | 'gone';
  /** What whoever asks it finds. */
  doing: Doing;
  /** Signals that wait for SIGCONT or for the end of an uninterruptible sleep. */
  readonly pending: string[];
  readonly received: string[];
}

export interface Birth {
  readonly argv: readonly string[];
  readonly program: Program;
  readonly ppid: number;
  /** null: it leads a group of its own. */
  readonly group: number | null;
  readonly uid: number;
}

/** Something with a path. `holder`: who has it, a socket that it is bound to for instance. */
export interface SimulatedFile {
  readonly type: 'socket' | 'file' | 'directory';
  readonly uid: number;
  readonly holder: ProcessRef | null;
}

export type ExitListener = (process: SimulatedProcess, evidence: ExitEvidence) => void;

const ENDING = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT']);

export interface HostOptions {
  readonly clock: SimulatedClock;
  /** How many PIDs there are: a small number makes reuse an everyday thing. */
  readonly pids: number;
  /** Does this kernel have pidfs (6.9)? */
  readonly inodes: 'yes' | 'no';
}

export class SimulatedHost {
  readonly #clock: SimulatedClock;
  readonly #options: HostOptions;
  readonly #processes = new Map<number, SimulatedProcess>();
  readonly #lastTicks = new Map<number, number>();
  readonly #installed = new Map<string, Program[]>();
  readonly #pidFiles = new Map<string, string>();
  /** By path. */
  readonly files = new Map<string, SimulatedFile>();
  readonly #exitListeners = new Set<ExitListener>();
  readonly #changeListeners = new Set<() => void>();
  #lastPid = 99;
  #inode = 7000;
  #blind: string | null = null;
  /** The process of the keeper; set by who plays it. */
  keeperPid = 50;

  constructor(options: HostOptions) {
    this.#clock = options.clock;
    this.#options = options;
  }

  /** Why processes cannot be seen; null: they can. */
  get blind(): string | null {
    return this.#blind;
  }

  /** From now on nobody can see processes, for that reason; null: one can again. */
  beBlind(reason: string | null): void {
    this.#blind = reason;
    this.#changed();
  }

  /** What the next executions of this file do: one program after the other, the last for ever. */
  install(file: string, ...programs: readonly Program[]): void {
    this.#installed.set(file, [...programs]);
  }

  /** What executing this file would be now. Takes one off the list where there are several. */
  execute(file: string): Program {
    const programs = this.#installed.get(file);
    if (programs === undefined) return program();
    const next = programs.length > 1 ? programs.shift() : programs[0];
    return next ?? program();
  }

  onExit(listener: ExitListener): void {
    this.#exitListeners.add(listener);
  }

  /** Told after anything that a look could notice. */
  onChange(listener: () => void): void {
    this.#changeListeners.add(listener);
  }

  living(): readonly SimulatedProcess[] {
    return [...this.#processes.values()];
  }

  find(ref: ProcessRef): SimulatedProcess | null {
    const there = this.#processes.get(ref.pid);
    return there !== undefined && isSameProcess(there.ref, ref) ? there : null;
  }

  /** Hundredths of a second since the boot, the unit of start times in /proc. */
  get ticks(): number {
    return Math.floor(this.#clock.instant / 10);
  }

  isAlive(ref: ProcessRef): boolean {
    return this.find(ref) !== null;
  }

  group(pgid: number): readonly SimulatedProcess[] {
    return this.living().filter((process) => process.group === pgid);
  }

  /** A process is born and begins to do what its program says. */
  bear(birth: Birth): SimulatedProcess {
    const pid = this.#freePid();
    const ticks = Math.max(this.ticks, (this.#lastTicks.get(pid) ?? 0) + 1);
    this.#lastTicks.set(pid, ticks);
    const born: SimulatedProcess = {
      ref: { pid: asPid(pid), startTicks: ticks, inode: this.#options.inodes === 'yes' ? String(this.#inode++) : null },
      ppid: birth.ppid,
      group: birth.group ?? pid,
      uid: birth.uid,
      argv: birth.argv,
      exe: birth.argv[0] ?? '',
      program: birth.program,
      born: this.#clock.instant,
      life: 'alive',
      doing: birth.program.doing,
      pending: [],
      received: [],
    };
    this.#processes.set(pid, born);
    this.#act(born);
    this.#changed();
    return born;
  }

  #act(process: SimulatedProcess): void {
    const { life, children, daemons, ends, binds, hangsAfter } = process.program;
    for (const child of children) {
      this.bear({ argv: process.argv, program: child, ppid: process.ref.pid, group: process.group, uid: process.uid });
    }
    for (const daemon of daemons) {
      // Born although the starter may have been killed meanwhile only if it was still there to fork it.
      this.#whileAlive(process, daemon.after, () => {
        const born = this.bear({ argv: daemon.argv, program: daemon.program, ppid: 1, group: null, uid: process.uid });
        const file = daemon.pidFile;
        if (file === null) return;
        this.#whileAlive(born, file.after, () => this.writePidFile(file.path, String(born.ref.pid)));
      });
    }
    if (ends !== null) {
      this.#whileAlive(process, ends.after, () => {
        for (const other of this.living()) if (other.exe === ends.exe) this.signal(other.ref, 'SIGTERM');
      });
    }
    if (binds !== null && this.files.has(binds)) {
      this.#whileAlive(process, 1, () => this.end(process, { type: 'exited', code: 1 }));
    } else if (binds !== null) {
      this.files.set(binds, { type: 'socket', uid: process.uid, holder: process.ref });
    }
    if (hangsAfter !== null) {
      this.#whileAlive(process, hangsAfter, () => {
        process.doing = 'hangs';
      });
    }
    if (life.type === 'exits') {
      this.#whileAlive(process, life.after, () => this.end(process, { type: 'exited', code: life.code }));
    }
    if (life.type === 'dies') {
      const status: ExitStatus = { type: 'signaled', signal: life.signal, coreDumped: life.core };
      this.#whileAlive(process, life.after, () => this.end(process, status));
    }
  }

  #whileAlive(process: SimulatedProcess, after: number, act: () => void): void {
    this.#clock.after(after, () => {
      if (process.life !== 'gone') act();
    });
  }

  /** It ends now, in this way. */
  end(process: SimulatedProcess, status: ExitStatus, oom = false): void {
    if (process.life === 'gone') return;
    process.life = 'gone';
    this.#processes.delete(process.ref.pid);
    if (status.type === 'exited') this.#unbind(process);
    for (const orphan of this.living()) if (orphan.ppid === process.ref.pid) orphan.ppid = 1;
    const evidence: ExitEvidence = {
      status,
      oom,
      peakMemory: null,
      cpuTime: null,
      findings: null,
      ticks: this.ticks,
      by: null,
    };
    for (const listener of this.#exitListeners) listener(process, evidence);
    this.#changed();
  }

  /** A program that ends by itself removes its socket; one that is killed does not. */
  #unbind({ ref, program: { binds } }: SimulatedProcess): void {
    const file = binds === null ? undefined : this.files.get(binds);
    if (binds !== null && file?.holder != null && isSameProcess(file.holder, ref)) this.files.delete(binds);
  }

  /** kill(2) through a pidfd: reaches this very process or nobody. */
  signal(ref: ProcessRef, signal: string): void {
    const process = this.find(ref);
    if (process !== null) this.#deliver(process, signal);
  }

  signalGroup(pgid: number, signal: string): void {
    for (const process of this.group(pgid)) this.#deliver(process, signal);
  }

  #deliver(process: SimulatedProcess, signal: string): void {
    if (process.life === 'gone') return;
    process.received.push(signal);
    if (signal === 'SIGKILL') {
      if (process.program.onKill === 'sleeps') process.pending.push(signal);
      else this.end(process, { type: 'signaled', signal: 'SIGKILL', coreDumped: false });
      return;
    }
    if (signal === 'SIGSTOP') {
      process.life = 'frozen';
      return;
    }
    if (signal === 'SIGCONT') {
      process.life = 'alive';
      for (const waiting of process.pending.splice(0)) this.#deliver(process, waiting);
      return;
    }
    if (process.life === 'frozen') {
      process.pending.push(signal);
      return;
    }
    if (!ENDING.has(signal)) return;
    const { onTerm } = process.program;
    if (onTerm.type === 'dies')
      this.end(process, { type: 'signaled', signal: signal as `SIG${string}`, coreDumped: false });
    if (onTerm.type === 'exits') {
      this.#whileAlive(process, onTerm.after, () => this.end(process, { type: 'exited', code: onTerm.code }));
    }
  }

  /** The uninterruptible sleep is over: what waited for it happens. */
  release(process: SimulatedProcess): void {
    if (process.pending.includes('SIGKILL'))
      this.end(process, { type: 'signaled', signal: 'SIGKILL', coreDumped: false });
  }

  writePidFile(path: string, content: string): void {
    this.#pidFiles.set(path, content);
    this.#changed();
  }

  removePidFile(path: string): void {
    this.#pidFiles.delete(path);
    this.#changed();
  }

  /** What reading it tells, by the rules of product.md 2.2. */
  pidFile(path: string | null): PidFile {
    const content = path === null ? undefined : this.#pidFiles.get(path);
    if (content === undefined) return { type: 'none' };
    if (!/^\d+\n?$/.test(content))
      return { type: 'refused', reason: `it holds ${JSON.stringify(content)}, which is no PID` };
    const pid = Number(content);
    if (pid <= 1) return { type: 'refused', reason: `it names PID ${pid}` };
    if (pid === 2) return { type: 'refused', reason: 'it names a kernel thread' };
    if (pid === this.keeperPid) return { type: 'refused', reason: 'it names the keeper itself' };
    return { type: 'names', pid };
  }

  facts(process: SimulatedProcess): ProcessFacts {
    return {
      process: process.ref,
      ppid: process.ppid,
      ancestors: this.#ancestorsOf(process),
      uid: process.uid,
      comm: process.exe.split('/').pop() ?? '',
      argv: process.argv,
      exe: process.exe,
      exeId: null,
      script: null,
      foreignNamespace: 'no',
    };
  }

  #ancestorsOf(process: SimulatedProcess): readonly number[] {
    const ancestors: number[] = [];
    for (let up = this.#processes.get(process.ppid); up !== undefined; up = this.#processes.get(up.ppid))
      ancestors.push(up.ref.pid);
    return ancestors;
  }

  #changed(): void {
    for (const listener of this.#changeListeners) listener();
  }

  #freePid(): number {
    // As the kernel does: upwards, round again, never one that is still the name of a process or of a group.
    const groups = new Set(this.living().map((process) => process.group));
    for (let tries = 0; tries <= this.#options.pids; tries++) {
      this.#lastPid = this.#lastPid >= 99 + this.#options.pids ? 100 : this.#lastPid + 1;
      if (!this.#processes.has(this.#lastPid) && !groups.has(this.#lastPid)) return this.#lastPid;
    }
    throw new Error('the simulated host has no free PID');
  }
}
