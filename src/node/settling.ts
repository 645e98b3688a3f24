/** connection-establishment §6.5.1: what goes and comes back within 2 s is no change, ms. */
export const DEBOUNCE = 2000;
/** What never rests counts after so many times the debounce. */
const PATIENCE = 5;

/** Something seen again and again; equal when the keys are. */
interface Keyed {
  readonly key: string;
}

/** What counts (`value`, undefined: not there), and what is to count once it has rested. Times are monotonic ms. */
export type Settling<T extends Keyed> =
  | { readonly kind: 'settled'; readonly value: T | undefined }
  | {
      readonly kind: 'moving';
      readonly value: T | undefined;
      readonly next: T | undefined;
      /** When it first differed, and when it last changed or was not finished. */
      readonly first: number;
      readonly last: number;
    };

/** `unfinished`: an address is tentative, so that what is seen will change by itself. */
export function settle<T extends Keyed>(
  state: Settling<T>,
  seen: T | undefined,
  unfinished: boolean,
  now: number,
  debounce: number,
): Settling<T> {
  const { value } = state;
  if (value?.key === seen?.key) return { kind: 'settled', value };
  if (state.kind === 'settled') return { kind: 'moving', value, next: seen, first: now, last: now };
  const last = unfinished || state.next?.key !== seen?.key ? now : state.last;
  const moving: Settling<T> = { ...state, next: seen, last };
  return now < (restsAt(moving, debounce) as number) ? moving : { kind: 'settled', value: seen };
}

/** When it has to be looked at again; undefined for what has settled. */
export function restsAt<T extends Keyed>(state: Settling<T>, debounce: number): number | undefined {
  return state.kind === 'settled' ? undefined : Math.min(state.last + debounce, state.first + PATIENCE * debounce);
}
