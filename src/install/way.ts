// One way to keep the keeper alive, as data: what lies on the disk, what is run, what people type. Each way is a pure
// function from a target to this; install.ts and uninstall.ts carry it out.

import type { Via } from './via.js';

export type Command = readonly string[];

export interface Way {
  readonly via: Via;
  readonly files: readonly WishedFile[];
  readonly links: readonly WishedLink[];
  /** A line of the user's crontab; null: none. */
  readonly line: CronLine | null;
  /** Run when a file or link was written. */
  readonly settle: readonly Command[];
  /** Starts the keeper now. */
  readonly start: Command;
  /** Ends the keeper, the services go on; null: it is asked over its socket. */
  readonly stop: Command | null;
  readonly beforeRemoval: readonly Command[];
  readonly afterRemoval: readonly Command[];
  /** What a person types to start it. */
  readonly startText: string;
  /** How it comes back, in a sentence. */
  readonly keeps: string;
  /** What the person should know. */
  readonly notes: readonly string[];
}

export interface WishedFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

export interface WishedLink {
  readonly path: string;
  readonly target: string;
}

export interface CronLine {
  readonly text: string;
  /** What ends every line of ours for this keeper, of whatever version. */
  readonly mark: string;
}

/** What a person types to start the keeper that this way owns. */
export function startTextOf(via: Via, whose: 'system' | 'user'): string {
  switch (via) {
    case 'systemd':
      return whose === 'system' ? 'systemctl start upkeep' : 'systemctl --user start upkeep';
    case 'sysv':
      return 'service upkeep start';
    case 'cron':
    case 'guard':
      return 'upkeep install';
  }
}
