// What is said to the manager, in the words of sd_notify(3), and by which way it goes. Nobody waits for it and nothing of it throws.

/** Lines like READY=1, in one message. False: there is nobody to tell, or it could not be said. */
export type Notify = (words: readonly string[]) => Promise<boolean>;

/** There is nobody. */
export const unheard: Notify = async () => false;

/** A text for people, as one line: a newline in it would begin another word. */
export const statusWord = (text: string): string => `STATUS=${text.replace(/\s+/g, ' ').trim()}`;

/** sd_notify(3) wants the time with it: a manager that asked for a reload ignores an answer from before. */
export const reloadingWords = (): readonly string[] => [
  'RELOADING=1',
  `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`,
];
