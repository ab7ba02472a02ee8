// @ts-check
/** Numbers and times as text. A missing number is an en dash. */

const NONE = '–';

/** @param {number | null | undefined} value @param {number} [digits] */
export function number(value, digits = 0) {
  return value == null || Number.isNaN(value) ? NONE : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

/** @param {number | null | undefined} mebibytes */
export function size(mebibytes) {
  if (mebibytes == null)
    return NONE;
  if (mebibytes >= 1024 * 1024)
    return `${number(mebibytes / 1024 / 1024, 1)} TiB`;
  return mebibytes >= 1024 ? `${number(mebibytes / 1024, 1)} GiB` : `${number(mebibytes, mebibytes < 10 ? 1 : 0)} MiB`;
}

/** Bytes per second. @param {number | null | undefined} kibibytes */
export function rate(kibibytes) {
  if (kibibytes == null)
    return NONE;
  return kibibytes >= 1024 ? `${number(kibibytes / 1024, 1)} MiB/s` : `${number(kibibytes, kibibytes < 10 ? 1 : 0)} KiB/s`;
}

/** @param {number | null | undefined} milliseconds */
export function duration(milliseconds) {
  if (milliseconds == null || Number.isNaN(milliseconds))
    return NONE;
  if (milliseconds < 1)
    return `${number(milliseconds * 1000)} µs`;
  if (milliseconds < 1000)
    return `${number(milliseconds, milliseconds < 10 ? 1 : 0)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60)
    return `${number(seconds, 1)} s`;
  if (seconds < 3600)
    return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min` : `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

/** Time since a moment. @param {number | null | undefined} seconds since 1970 */
export function age(seconds) {
  return seconds == null || seconds <= 0 ? NONE : duration(Math.max(0, Date.now() - seconds * 1000));
}

/** @param {number | string | null | undefined} time seconds since 1970, or ISO text */
export function clock(time) {
  if (time == null || time === '')
    return NONE;
  const date = new Date(typeof time === 'number' ? time * 1000 : time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toLocaleTimeString('en-GB');
}

/** @param {number | string | null | undefined} time seconds since 1970, or ISO text */
export function moment(time) {
  if (time == null || time === '' || time === 0)
    return NONE;
  const date = new Date(typeof time === 'number' ? time * 1000 : time);
  return Number.isNaN(date.getTime()) ? String(time) : `${date.toLocaleDateString('sv-SE')} ${date.toLocaleTimeString('en-GB')}`;
}

/** CPU in cores. @param {number | null | undefined} cores */
export function cpu(cores) {
  return cores == null ? NONE : `${number(cores * 100, cores < 0.1 ? 1 : 0)} %`;
}

/** Words of an upper-case state: `PENDING_SCHEDULING` becomes “pending scheduling”. @param {unknown} state */
export function words(state) {
  return String(state ?? '').replaceAll('_', ' ').toLowerCase();
}
