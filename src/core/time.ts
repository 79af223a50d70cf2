// Instants and durations. Knows no clock: whoever calls the core says what time it is.

declare const instantBrand: unique symbol;
declare const millisBrand: unique symbol;
declare const wallTimeBrand: unique symbol;

/** Milliseconds on CLOCK_MONOTONIC: comparable within one boot, also across keepers. Stands still while the machine sleeps. */
export type Instant = number & { readonly [instantBrand]: true };

/** A length of time in milliseconds. */
export type Millis = number & { readonly [millisBrand]: true };

/** Milliseconds since 1970, as the host's clock says. It may jump: only for people, `--for` and cron. */
export type WallTime = number & { readonly [wallTimeBrand]: true };

/** `booting`: the init system has not finished; `ending`: the host goes down. In both nothing is started. */
export type HostPhase = 'booting' | 'up' | 'ending';

/** The moment of a step: both clocks, and the only randomness that the core gets (0 ≤ random < 1). */
export interface Now {
  readonly instant: Instant;
  readonly wall: WallTime;
  readonly random: number;
}

export const millis = (n: number): Millis => n as Millis;
export const seconds = (n: number): Millis => (n * 1000) as Millis;
export const minutes = (n: number): Millis => (n * 60_000) as Millis;
export const instant = (n: number): Instant => n as Instant;
export const wallTime = (n: number): WallTime => n as WallTime;

/** To a tenth of a millisecond: closer, no clock that a busy loop reads says anything. */
export const tenths = (length: number): Millis => millis(Math.round(length * 10) / 10);

/** The instant that lies `length` after `from`. */
export const later = (from: Instant, length: Millis): Instant => (from + length) as Instant;

/** The wall time that lies `length` after `from`. */
export const laterOnWall = (from: WallTime, length: Millis): WallTime => (from + length) as WallTime;

/** The same on the wall clock, which may have been set back. */
export const elapsedOnWall = (from: WallTime, to: WallTime): Millis => Math.max(0, to - from) as Millis;

/** How long ago `from` was at `to`; never negative. */
export const elapsed = (from: Instant, to: Instant): Millis => Math.max(0, to - from) as Millis;

/** The moment of a step, and whether the host is in a phase in which things may be started. */
export interface Moment extends Now {
  readonly host: HostPhase;
  /** Since when neither the keeper nor the machine has stood still: time before that proves nothing against a service. */
  readonly steadySince: Instant;
}

/** A time for machines. A pure function of its argument: it asks no clock. */
export const iso = (wall: number): string => new Date(wall).toISOString();

/** A length of time for people: `0.4 s`, `12 s`, `3 min`, `5 h`, `12 d`. */
export function inWords(length: number): string {
  const s = Math.max(0, length) / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

/** The same where a few milliseconds are something: `4 ms`, `0.4 s`. */
export const inFineWords = (length: number): string =>
  length >= 100
    ? inWords(length)
    : `${length >= 9.95 || length === 0 ? Math.round(length) : Math.round(length * 10) / 10} ms`;
