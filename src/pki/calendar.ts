/** Civil time of the proleptic Gregorian calendar, UTC; `month` and `day` from 1. */
export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const DAY = 86_400;
/** Days of 400 years, after which the calendar repeats. */
const ERA = 146_097;
/** Days from 1 March of year 0 to 1 January 1970. */
const EPOCH = 719_468;

/** Unix seconds of a civil time, years 0…9999; undefined where no such day or time of day exists (leap seconds included). */
export function unixFromCivil(time: CivilTime): number | undefined {
  const { year, month, day, hour, minute, second } = time;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  // Years counted from March put the leap day at their end.
  const y = month > 2 ? year : year - 1;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = dayOfMarchYear((month + 9) % 12) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return (era * ERA + dayOfEra - EPOCH) * DAY + hour * 3600 + minute * 60 + second;
}

/** Civil time of Unix seconds; fractions are dropped. */
export function civilFromUnix(unix: number): CivilTime {
  const whole = Math.floor(unix);
  const days = Math.floor(whole / DAY) + EPOCH;
  const secondOfDay = whole - (days - EPOCH) * DAY;
  const era = Math.floor(days / ERA);
  const dayOfEra = days - era * ERA;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - dayOfMarchYear(marchMonth) + 1,
    hour: Math.floor(secondOfDay / 3600),
    minute: Math.floor(secondOfDay / 60) % 60,
    second: secondOfDay % 60,
  };
}

/** Days before month `m` (0 = March) of a year that begins in March. */
function dayOfMarchYear(m: number): number {
  return Math.floor((153 * m + 2) / 5);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
