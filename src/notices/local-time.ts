// Times for people, in the time zone of the host: that is what its logs have.

const two = (n: number): string => String(n).padStart(2, '0');

/** `2026-11-20 11:00:00 +0100`. */
export function localTime(ms: number): string {
  const time = new Date(ms);
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${secondsOfDay(time)} ${offset(time)}`;
}

/** `11:00:00.120`. */
export function clockTime(ms: number): string {
  const time = new Date(ms);
  return `${secondsOfDay(time)}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** `11:00:00`. */
export const secondsOfDay = (time: Date): string =>
  [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');

/** `2026-11-20, +0100`. */
export function offsetInWords(ms: number): string {
  const [date = '', , zone = ''] = localTime(ms).split(' ');
  return `${date}, ${zone}`;
}

function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}
