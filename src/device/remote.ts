import { parseAddress, samePrefix } from '../discovery/address.js';
import { isHomeAddress } from '../discovery/networks.js';
import type { SharedMulticast } from '../discovery/shared-multicast.js';
import { ConfigError } from '../errors.js';
import type { Clock, Log, Multicast, NetworkInterface, PortMapper, PortOpening, Timer } from '../platform.js';
import type { DeviceOptions, RemoteStatus } from './options.js';

interface Held {
  readonly opening: PortOpening;
  /** Monotonic ms. */
  readonly until: number;
}

/** `idle`: there is no zone that could come. `hopeless`: what is missing does not come by waiting. */
export type RemoteState =
  | { readonly kind: 'idle' | 'hopeless' }
  | { readonly kind: 'asking'; readonly held: Held | undefined; readonly failures: number; readonly moved: boolean }
  | { readonly kind: 'resting'; readonly held: Held | undefined; readonly failures: number; readonly due: number };

/** `moved`: an address of the device changed, so that the router forwards to the wrong one. */
export type RemoteEvent =
  | { readonly type: 'wanted' | 'unwanted' | 'due' | 'moved' | 'failed' | 'hopeless' }
  | { readonly type: 'opened'; readonly opening: PortOpening };

export interface RemoteStep {
  readonly state: RemoteState;
  readonly effect?: 'open' | 'release';
}

const RETRY_FIRST = 30_000;
const RETRY_LONGEST = 900_000;
/** How long a stop waits for the router. */
const RELEASE_MAXIMUM = 1000;

export function nextRemote(state: RemoteState, event: RemoteEvent, now: number): RemoteStep {
  if (event.type === 'unwanted') {
    const nothing = state.kind === 'idle' || state.kind === 'hopeless';
    return { state: { kind: 'idle' }, ...(nothing ? {} : { effect: 'release' }) };
  }
  switch (state.kind) {
    case 'hopeless':
      return { state };
    case 'idle':
      return event.type === 'wanted' ? ask(undefined, 0) : { state };
    case 'resting': {
      const held = stillHeld(state.held, now);
      if (event.type === 'moved' || (event.type === 'due' && now >= state.due)) return ask(held, state.failures);
      return { state: { ...state, held } };
    }
    case 'asking': {
      if (event.type === 'moved') return { state: { ...state, moved: true } };
      if (event.type === 'hopeless') return { state: { kind: 'hopeless' } };
      if (event.type !== 'opened' && event.type !== 'failed') return { state };
      const opened = event.type === 'opened' ? { opening: event.opening, until: now + event.opening.lease } : undefined;
      const held = opened ?? stillHeld(state.held, now);
      const failures = opened === undefined ? state.failures + 1 : 0;
      if (state.moved) return ask(held, failures);
      const rest = opened === undefined ? Math.min(RETRY_FIRST * 2 ** (failures - 1), RETRY_LONGEST) : opened.opening.lease / 2;
      return { state: { kind: 'resting', held, failures, due: now + rest } };
    }
  }
}

function ask(held: Held | undefined, failures: number): RemoteStep {
  return { state: { kind: 'asking', held, failures, moved: false }, effect: 'open' };
}

function stillHeld(held: Held | undefined, now: number): Held | undefined {
  return held !== undefined && now < held.until ? held : undefined;
}

export interface RemoteParts {
  readonly mapper: PortMapper;
  /** Of its own: closed with it. */
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly log: Log;
  /** The operational port. */
  port(): number;
  onChanged(): void;
}

/** Undefined where it is not wanted. Throws ConfigError where it is, and the platform cannot. */
export function deviceRemote(
  { profile, platform }: DeviceOptions,
  shared: SharedMulticast,
  port: () => number,
  onChanged: () => void,
): DeviceRemote | undefined {
  if (profile['remote.portMapping'] === 'off') return undefined;
  const { portMapper: mapper, clock, log } = platform;
  if (mapper === undefined) throw new ConfigError('remote.portMapping', 'this platform cannot open ports');
  return new DeviceRemote({ mapper, multicast: shared.port(), clock, log: log.scoped('remote'), port, onChanged });
}

/** Keeps the operational port open on the home's router while there is a zone that could come. Nothing of it can fail the device. */
export class DeviceRemote {
  readonly #parts: RemoteParts;
  #state: RemoteState = { kind: 'idle' };
  #problem: string | undefined;
  #timer: Timer | undefined;
  /** The router answers one question after the other. */
  #last: Promise<void> = Promise.resolve();
  /** Effects so far: what was asked for before the last one no longer counts. */
  #effects = 0;
  #closed = false;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
  }

  get status(): RemoteStatus {
    const held = 'held' in this.#state ? stillHeld(this.#state.held, this.#parts.clock.now()) : undefined;
    const opening = held && { address: held.opening.address, port: held.opening.port, until: held.until };
    return { opening, problem: this.#problem };
  }

  async start(): Promise<void> {
    await this.#parts.multicast.start({
      onPacket: () => undefined,
      onInterfaces: () => this.#on({ type: 'moved' }),
      onError: () => undefined,
    });
  }

  /** Commissioning is for peers in the home alone where the internet reaches the operational port. */
  mayCommission(remote: string): boolean {
    return isInHome(remote, this.#parts.multicast.interfaces());
  }

  /** Whether there is a zone that could come. */
  want(wanted: boolean): void {
    this.#on({ type: wanted ? 'wanted' : 'unwanted' });
  }

  /** Within a second; what the router does not confirm until then ends with its lease. Idempotent. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#on({ type: 'unwanted' });
    this.#closed = true;
    void this.#parts.multicast.close();
    return new Promise((resolve) => {
      const limit = this.#parts.clock.after('PORT_MAPPING_RELEASE', RELEASE_MAXIMUM, () => {
        this.#parts.log.warn('the router has not confirmed that the port is closed: its lease ends within the hour');
        resolve();
      });
      void this.#last.then(() => {
        limit.cancel();
        resolve();
      });
    });
  }

  #on(event: RemoteEvent): void {
    if (this.#closed) return;
    const { clock, onChanged } = this.#parts;
    const { state, effect } = nextRemote(this.#state, event, clock.now());
    this.#state = state;
    if (state.kind === 'idle') this.#problem = undefined;
    this.#schedule();
    if (effect !== undefined) {
      const turn = ++this.#effects;
      const before = 'held' in state ? state.held?.opening : undefined;
      this.#last = this.#last.then(() => (effect === 'release' ? this.#release() : this.#open(turn, before)));
    }
    onChanged();
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#state.kind !== 'resting') return;
    const { clock } = this.#parts;
    const at = Math.min(this.#state.due, this.#state.held?.until ?? Number.POSITIVE_INFINITY);
    this.#timer = clock.after('PORT_MAPPING_DUE', Math.max(0, at - clock.now()), () => this.#on({ type: 'due' }));
  }

  async #open(turn: number, before: PortOpening | undefined): Promise<void> {
    const { mapper, log, port } = this.#parts;
    if (turn !== this.#effects) return;
    try {
      const opening = await mapper.open(port());
      const { address, port: external, lease } = opening;
      const fields = { address, port: external, leaseMinutes: Math.round(lease / 60_000) };
      if (before?.address === address && before.port === external) log.debug('the port on the router is renewed', fields);
      else log.info('the operational port is open to the internet', fields);
      if (turn !== this.#effects) return;
      this.#problem = undefined;
      this.#on({ type: 'opened', opening });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('the router does not open the operational port', { reason });
      if (turn !== this.#effects) return;
      this.#problem = reason;
      this.#on({ type: error instanceof ConfigError ? 'hopeless' : 'failed' });
    }
  }

  async #release(): Promise<void> {
    const { mapper, log } = this.#parts;
    try {
      await mapper.release();
      log.info('the port on the router is closed');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('the port on the router may be open until its lease ends, within the hour', { reason });
    }
  }
}

const MAPPED_IPV4 = '::ffff:';

/** Whether a peer is in the home: commissioning is for those alone where the internet reaches the operational port. */
export function isInHome(remote: string, interfaces: readonly NetworkInterface[]): boolean {
  const bytes = parseAddress(remote.startsWith(MAPPED_IPV4) && remote.includes('.') ? remote.slice(MAPPED_IPV4.length) : remote);
  if (bytes === undefined) return false;
  const own = interfaces.flatMap(({ addresses, elsewhere }) => [...addresses, ...(elsewhere ?? [])]);
  if (own.some((address) => samePrefix(address.bytes, bytes, address.prefixLength))) return true;
  return isHomeAddress(bytes);
}
