// Heartbeat `process`: does the service take more than it is given? The keeper has measured; only the judgement is here, so
// this kind runs in no asker.

import type { Answer, ProcessQuestion } from '../core/question.js';
import { sizeInWords } from '../core/size.js';
import { judgeReadings, type Reading } from '../core/threshold.js';
import type { Usage } from '../core/usage.js';
import { unasked } from './kind.js';

export function judgeUsage(question: ProcessQuestion, usage: Usage): Pick<Answer, 'result' | 'detail'> {
  if (usage.type === 'unseen') return unasked('its main process has ended meanwhile, or may not be seen');
  const { memory, cpu, threads, openFiles } = usage;
  if (question.openFiles !== null && openFiles === null)
    return unasked('this user may not count the open files of its processes; that needs root, or Linux 6.2');
  const readings: readonly (Reading | null)[] = [
    reading('memory', question.memory, memory, sizeInWords),
    reading('cpu', question.cpu, cpu, (percent) => `${Math.round(percent)} %`),
    reading('threads', question.threads, threads, String),
    reading('open files', question.openFiles, openFiles, String),
  ];
  const judged = judgeReadings(readings.filter((one) => one !== null));
  if (question.cpu === null || cpu !== null || judged.result === 'failed') return judged;
  return { ...judged, detail: [judged.detail, 'cpu not known yet'].filter((part) => part !== '').join(', ') };
}

/** null: not asked for, or not known. */
function reading(
  name: string,
  wanted: Reading['wanted'],
  value: number | null,
  inWords: Reading['inWords'],
): Reading | null {
  return wanted === null || value === null ? null : { value, wanted, inWords, text: `${name} ${inWords(value)}` };
}
