// The record thread as the keeper has it: starts it, and gives what is asked of the history its answer. Never waits for it.

import type { Answer, Question } from '../core/history.js';
import { askJob } from '../history/job.js';
import type { Report } from '../keeper/ports.js';
import { DiskThread } from '../kernel/disk-thread.js';
import type { RecorderSetting, RecordJob, RecordNews } from '../recorder.js';
import { Questions } from './questions.js';

export interface RecordsParts {
  readonly setting: RecorderSetting;
  readonly report: Report;
  readonly onNews: (news: Exclude<RecordNews, { readonly type: 'answered' }>) => void;
  /** A job of this key will not be done. */
  readonly onLost: (key: string) => void;
}

const patience = 5000;

export class Records {
  readonly #thread: DiskThread<RecordJob, RecordNews>;
  readonly #questions: Questions;

  constructor({ setting, report, onNews, onLost }: RecordsParts) {
    this.#questions = new Questions({ ask: (id, question) => this.#thread.send(askJob(id, question)), patience });
    this.#thread = new DiskThread<RecordJob, RecordNews>({
      name: 'record thread',
      program: new URL('../recorder.js', import.meta.url),
      setting,
      onNews: (news) => {
        if (news.type === 'answered') this.#questions.answered(news.id, news.answer);
        else onNews(news);
      },
      onDropped: (job) => {
        if (job.type === 'ask') this.#questions.lost();
        else onLost(job.key);
      },
      report,
    });
  }

  readonly send = (job: RecordJob): void => this.#thread.send(job);

  /** Never rejects. */
  readonly ask = (question: Question): Promise<Answer> => this.#questions.ask(question);

  /** For how many milliseconds the disk has been busy with one job. */
  get late(): number {
    return this.#thread.late;
  }

  flush(within: number): Promise<'done' | 'late'> {
    return this.#thread.flush(within);
  }

  close(): void {
    this.#thread.close();
    this.#questions.close({ type: 'unavailable', problem: 'the keeper is ending' });
  }
}
