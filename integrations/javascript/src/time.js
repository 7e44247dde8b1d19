// Times are whole seconds since 1970 inside, and milliseconds where a name says so; RFC 3339 outside.

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** The milliseconds of a time, what is finer cut off, or null. */
export function parseMillis(text) {
  const match = typeof text === 'string' && rfc3339.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, Number((match[7] ?? '').slice(0, 3).padEnd(3, '0')));
  if (date.toISOString().slice(0, 19) !== text.slice(0, 19)) return null;
  const offset = match[8] ? (Number(match[9]) * 60 + Number(match[10])) * (match[8] === '-' ? -60 : 60) : 0;
  return date.getTime() - offset * 1000;
}

/** The seconds of a time, a fraction cut off, or null. */
export function parseTime(text) {
  const millis = parseMillis(text);
  return millis === null ? null : Math.floor(millis / 1000);
}

export const formatMillis = (millis) => new Date(millis).toISOString().replace('.000Z', 'Z');
export const formatTime = (seconds) => formatMillis(seconds * 1000);
