import type { CborMap, CborValue } from '../codec/cbor.js';
import { ControllerError } from '../controller/errors.js';
import { ControllerSession } from '../controller/session.js';
import type { Transport } from '../controller/transport.js';
import type { DeviceAddress } from '../controller/zone.js';
import { NetworkError } from '../errors.js';
import type { Clock } from '../platform.js';
import { type Answer, answerText, type CommissioningPeer, saysNo } from './commissioning-peer.js';
import { NotApplicable, SetupFailed } from './verdict.js';
import type { ZoneKit } from './zone-kit.js';

const TEST_CONTROL = 0x0a;
/** Domain 1 of reference-behaviour §3.2. */
const DEVICE = 2 ** 48;
const [ENTER, RESET] = [DEVICE + 1, DEVICE + 4];

/** A device that is busy is waited for so long, ms. */
const BUSY_PATIENCE = 10_000;

interface TestZoneOnDevice {
  readonly kit: ZoneKit;
  readonly zoneId: string;
  readonly deviceId: string;
}

/** What the zone is commissioned with. */
export interface TestZoneHost {
  readonly target: DeviceAddress;
  readonly clock: Clock;
  readonly transport: Transport;
  kit(kind: 'test'): ZoneKit;
  sleep(milliseconds: number): Promise<void>;
  /** Without TestControl. */
  openByHand(): Promise<void>;
  commissioning(dialect: 'reference', kit: ZoneKit): Promise<CommissioningPeer>;
}

/** The zone by which a lab commands the device: commissioned at its first use, in the reference dialect, which alone has such zones. */
export class TestZone {
  readonly #host: TestZoneHost;
  readonly #enableKey: string;
  #zone: TestZoneOnDevice | undefined;
  #session: ControllerSession | undefined;
  #obeyed = false;

  constructor(host: TestZoneHost, enableKey: string) {
    this.#host = host;
    this.#enableKey = enableKey;
  }

  /** Opens the window, or begins an open one anew. */
  enterCommissioning(): Promise<void> {
    return this.#trigger(ENTER);
  }

  /** ResetTestState: the window has its own length again, too. */
  reset(): Promise<void> {
    return this.#trigger(RESET);
  }

  async read(endpoint: number, feature: number, attribute: number): Promise<CborValue | undefined> {
    return (await (await this.#connected()).read(endpoint, feature, [attribute])).get(attribute);
  }

  /** Status names are in the error's details. */
  async invoke(command: number, parameters: Readonly<Record<string, CborValue>>, enableKey = this.#enableKey): Promise<CborMap> {
    const session = await this.#connected();
    return session.invoke(0, TEST_CONTROL, command, new Map(Object.entries({ enableKey, ...parameters })));
  }

  async removeZone(zoneId: string): Promise<true> {
    try {
      await (await this.#connected()).invoke(0, 1, 16, new Map([['zoneId', zoneId]]));
    } catch (error) {
      // It may be gone already.
      if (!(error instanceof ControllerError) || error.code !== 'REFUSED') throw error;
    }
    return true;
  }

  /** Removes the zone itself from the device. */
  async leave(): Promise<void> {
    if (this.#zone === undefined) return;
    try {
      await this.removeZone(this.#zone.zoneId);
      await this.#session?.close();
    } catch (error) {
      if (!(error instanceof ControllerError || error instanceof NetworkError)) throw error;
    }
    this.#session?.destroy('the run is done');
    this.#zone = undefined;
  }

  /** Rejects with SetupFailed where the first one is refused: nothing of the run can be done then. */
  async #trigger(eventTrigger: number): Promise<void> {
    try {
      const result = await this.invoke(1, { eventTrigger });
      if (result.get('success') !== true)
        throw new ControllerError('REFUSED', 'TestControl carries nothing out: the device has no enable key');
    } catch (error) {
      if (this.#obeyed || !(error instanceof ControllerError) || error.code !== 'REFUSED') throw error;
      throw new SetupFailed(`TestControl does not obey; is --enable-key the device's? ${error.message}`);
    }
    this.#obeyed = true;
  }

  async #connected(): Promise<ControllerSession> {
    if (this.#session?.open === true) return this.#session;
    const zone = this.#zone ?? (await this.#commission());
    this.#zone = zone;
    const { transport, target, clock } = this.#host;
    const purpose = { kind: 'operational', serverName: zone.deviceId, identity: zone.kit.controller } as const;
    const { stream } = await transport.connect(target, purpose, new AbortController().signal);
    this.#session = new ControllerSession(stream, 'reference', clock);
    return this.#session;
  }

  async #commission(): Promise<TestZoneOnDevice> {
    const host = this.#host;
    const kit = host.kit('test');
    const until = host.clock.now() + BUSY_PATIENCE;
    for (;;) {
      await this.#openByHand();
      const peer = await host.commissioning('reference', kit);
      const answer = await peer.run('certInstall');
      if (!saysNo(answer)) return this.#finished(peer, kit);
      const wait = 'retryAfter' in answer ? (answer.retryAfter ?? 0) : 0;
      if (wait === 0 || host.clock.now() + wait > until) throw new SetupFailed(refusedText(answer));
      // The device rests from the run before.
      await host.sleep(wait);
    }
  }

  /** Without TestControl: it is not there yet. */
  async #openByHand(): Promise<void> {
    try {
      await this.#host.openByHand();
    } catch (error) {
      if (this.#obeyed || !(error instanceof NotApplicable)) throw error;
      throw new SetupFailed(
        'the commissioning window is closed, and the TEST zone that would open it is not there yet: press the button before the run, or give --open-command',
      );
    }
  }

  async #finished(peer: CommissioningPeer, kit: ZoneKit): Promise<TestZoneOnDevice> {
    await peer.finish();
    return { kit, zoneId: peer.zoneId, deviceId: peer.deviceId };
  }
}

/** reference-behaviour §3.5: without an enable key TEST zones are closed silently. */
function refusedText(answer: Answer): string {
  if (answer.type === 'closed') return 'the device takes no TEST zone (closed): it was not started with --enable-key';
  const said = 'text' in answer && answer.text !== undefined ? `: ${answer.text}` : '';
  return `the device takes no TEST zone: ${answerText(answer)}${said}`;
}
