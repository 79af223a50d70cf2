// The record thread as the keeper has it: starts it, and gives what is asked of the history its answer. Never waits for it.

import type { Answer, Question } from '../core/history.js';
import { askJob } from '../history/job.js';
import type { Report } from '../keeper/ports.js';
import { DiskThread } from '../kernel/disk-thread.js';
import type { RecorderSetting, RecordJob, RecordNews } from '../recorder.js';

export interface RecordsParts {
  readonly setting: RecorderSetting;
  readonly report: Report;
  readonly onNews: (news: Exclude<RecordNews, { readonly type: 'answered' }>) => void;
  /** A job of this key will not be done. */
  readonly onLost: (key: string) => void;
}

/** A disk that hangs is answered for. */
const patience = 5000;
const late: Answer = { type: 'unavailable', problem: 'the disk of the history does not answer' };

export class Records {
  readonly #thread: DiskThread<RecordJob, RecordNews>;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #last = 0;

  constructor({ setting, report, onNews, onLost }: RecordsParts) {
    this.#thread = new DiskThread<RecordJob, RecordNews>({
      name: 'record thread',
      program: new URL('../recorder.js', import.meta.url),
      setting,
      onNews: (news) => {
        if (news.type === 'answered') this.#asked.get(news.id)?.(news.answer);
        else onNews(news);
      },
      onDropped: ({ key }) => onLost(key),
      report,
    });
  }

  readonly send = (job: RecordJob): void => this.#thread.send(job);

  /** Never rejects. */
  readonly ask = (question: Question): Promise<Answer> => {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      const done = (answer: Answer): void => {
        clearTimeout(timer);
        this.#asked.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => done(late), patience);
      this.#asked.set(id, done);
      this.#thread.send(askJob(id, question));
    });
  };

  flush(within: number): Promise<'done' | 'late'> {
    return this.#thread.flush(within);
  }

  close(): void {
    this.#thread.close();
    for (const answer of [...this.#asked.values()]) answer({ type: 'unavailable', problem: 'the keeper is ending' });
  }
}
