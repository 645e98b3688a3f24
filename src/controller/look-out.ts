import type { Browse, Browser } from '../discovery/browser.js';
import type { DiscoveredService, IncompleteService } from '../discovery/discovered.js';
import type { Clock, Timer } from '../platform.js';
import type { Sighting } from './not-found.js';
import { nextResolution, type ResolutionEvent, startResolution } from './resolution.js';

export interface LookOutPlan {
  readonly types: readonly string[];
  /** The one instance of the first type that is meant; its type is browsed only when nobody answers for it. */
  readonly instance?: string;
  readonly isWanted: (service: DiscoveredService | IncompleteService) => boolean;
  /** How long to go on looking after the time of the resolution is over, ms. */
  readonly linger?: number;
  /** Ends it early, with what has been seen. */
  readonly signal?: AbortSignal;
}

export interface LookOutResult extends Sighting {
  readonly found: DiscoveredService | undefined;
}

/** One resolution: queries from the first one on, until what is wanted is complete or its time is over. Never rejects. */
export function lookOut(browser: Browser, clock: Clock, plan: LookOutPlan): Promise<LookOutResult> {
  return new Promise((resolve) => {
    const { types, instance, isWanted, linger = 0, signal } = plan;
    const browses: Browse[] = [];
    let state = startResolution(instance === undefined ? 'nothing' : 'named', clock.now());
    let timer: Timer | undefined;
    let ended = false;
    const finish = (found?: DiscoveredService): void => {
      if (ended) return;
      ended = true;
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
      const complete = browses.flatMap((browse) => browse.services());
      const incomplete = browses.flatMap((browse) => browse.incomplete());
      for (const browse of browses) browse.close();
      resolve({ found, complete, incomplete });
    };
    const onAbort = (): void => finish();
    const browseTypes = (): void => {
      for (const type of types) look(type);
    };
    const wait = (): void => {
      timer?.cancel();
      if (state.name === 'looking') timer = clock.after('MDNS_SEARCH', state.until - clock.now(), () => feed('time'));
      else if (state.name === 'late') timer = clock.after('MDNS_SEARCH', linger, () => finish());
    };
    const feed = (event: ResolutionEvent): void => {
      const before = state;
      state = nextResolution(state, event, clock.now());
      if (ended || state === before) return;
      if (before.name === 'looking' && before.stage === 'named' && state.name === 'looking' && state.stage === 'nothing') browseTypes();
      wait();
    };
    const onComplete = (service: DiscoveredService): void => {
      if (!isWanted(service)) return;
      feed('complete');
      finish(service);
    };
    const onIncomplete = (service: IncompleteService): void => {
      if (isWanted(service)) feed(service.missing === 'srv' ? 'announced' : 'located');
    };
    const look = (type: string, one?: string): void => {
      browses.push(browser.browse(type, { added: onComplete, updated: onComplete, incomplete: onIncomplete }, one));
    };
    if (instance === undefined) browseTypes();
    else look(types[0] as string, instance);
    wait();
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) finish();
  });
}

/** Everything of these types that answers within the time, or until something is `enough`. */
export function collect(
  browser: Browser,
  clock: Clock,
  types: readonly string[],
  time: number,
  signal: AbortSignal,
  enough: (service: DiscoveredService) => boolean = () => false,
): Promise<Sighting> {
  return new Promise((resolve) => {
    const check = (service: DiscoveredService): void => {
      if (enough(service)) finish();
    };
    const browses = types.map((type) => browser.browse(type, { added: check, updated: check }));
    const finish = (): void => {
      deadline.cancel();
      signal.removeEventListener('abort', finish);
      const complete = browses.flatMap((browse) => browse.services());
      const incomplete = browses.flatMap((browse) => browse.incomplete());
      for (const browse of browses) browse.close();
      resolve({ complete, incomplete });
    };
    const deadline = clock.after('MDNS_SEARCH', time, finish);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}
