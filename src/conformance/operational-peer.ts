import { type CborMap, type CborValue, encodeCbor, isMap } from '../codec/cbor.js';
import type { Transport } from '../controller/transport.js';
import type { DeviceAddress } from '../controller/zone.js';
import type { DialectName } from '../dialect/messages.js';
import type { Clock, SecureStream, TlsIdentity } from '../platform.js';
import { FramedConnection } from '../session/framed-connection.js';
import { type Control, classify, encodeControl, encodeRequest, Operation } from '../session/wire.js';
import { Refuted } from './verdict.js';

const PATIENCE = 10_000;
const MAXIMUM = 1 << 20;

export interface Reply {
  readonly status: number;
  readonly payload: CborMap;
}

/** An operational connection that shows each frame, and sends whatever it is told. */
export class OperationalPeer {
  readonly stream: SecureStream;
  /** X.509 DER of the device. */
  readonly certificate: Uint8Array;
  readonly dialect: DialectName;
  readonly #connection: FramedConnection;
  readonly #clock: Clock;
  readonly #frames: CborValue[] = [];
  #closed = false;
  /** We asked for the end: what looks like a close acknowledges ours. */
  #closing = false;
  #wake: (() => void) | undefined;
  #id = 0;

  private constructor(stream: SecureStream, certificate: Uint8Array, dialect: DialectName, clock: Clock) {
    this.stream = stream;
    this.certificate = certificate;
    this.dialect = dialect;
    this.#clock = clock;
    this.#connection = new FramedConnection(stream, { clock, maximum: MAXIMUM });
    this.#connection.start({
      onValue: (value) => this.#onValue(value),
      onUndecodable: (error) => this.#connection.destroy(`no CBOR: ${error.message}`),
      onClose: () => {
        this.#closed = true;
        this.#wake?.();
      },
    });
  }

  /** Rejects with ControllerError or NetworkError where the handshake fails. */
  static async connect(
    parts: { readonly transport: Transport; readonly clock: Clock },
    target: DeviceAddress,
    as: { readonly identity: TlsIdentity; readonly serverName: string; readonly dialect: DialectName },
  ): Promise<OperationalPeer> {
    const purpose = { kind: 'operational', serverName: as.serverName, identity: as.identity } as const;
    const { stream, certificate } = await parts.transport.connect(target, purpose, new AbortController().signal);
    return new OperationalPeer(stream, certificate, as.dialect, parts.clock);
  }

  /** The next frame; `closed` where the connection ended, `silence` where nothing came in time. */
  async frame(timeout = PATIENCE): Promise<CborValue | 'closed' | 'silence'> {
    await this.#until(() => this.#frames.length > 0 || this.#closed, timeout);
    const frame = this.#frames.shift();
    if (frame !== undefined) return frame;
    return this.#closed ? 'closed' : 'silence';
  }

  /** True where the device has closed within `timeout` ms; what it sent before is dropped. */
  async ends(timeout: number): Promise<boolean> {
    await this.#until(() => this.#closed, timeout);
    return this.#closed;
  }

  send(value: CborValue): void {
    this.#connection.send(value);
  }

  /** Bytes as they are, without a prefix of ours. */
  sendRaw(bytes: Uint8Array): void {
    this.stream.write(bytes);
  }

  /** A frame of any payload. */
  sendPayload(payload: Uint8Array): void {
    const frame = new Uint8Array(4 + payload.length);
    new DataView(frame.buffer).setUint32(0, payload.length);
    frame.set(payload, 4);
    this.sendRaw(frame);
  }

  /** The response to a request; what the device says of its own is passed over, its liveness Reads are answered. Throws Refuted where none comes. */
  async ask(operation: number, endpoint: number, feature: number, payload?: CborValue): Promise<Reply> {
    this.#id += 1;
    const id = this.#id;
    this.sendPayload(encodeCbor(encodeRequest({ id, operation, endpoint, feature, payload })));
    return this.reply(id);
  }

  async reply(id: number): Promise<Reply> {
    for (;;) {
      const frame = await this.frame();
      if (frame === 'closed' || frame === 'silence') throw new Refuted(`a response is due, seen was ${frame}`);
      const inbound = classify(frame, (candidate) => candidate === id);
      if (inbound.kind === 'response' && inbound.response.id === id) {
        const { status, payload } = inbound.response;
        return { status, payload: isMap(payload) ? payload : new Map() };
      }
      if (inbound.kind === 'control' && inbound.control.control === 'ping') this.control({ ...inbound.control, control: 'pong' });
      if (inbound.kind === 'request')
        this.send(
          new Map<number, CborValue>([
            [1, inbound.request.id],
            [2, 10],
          ]),
        );
    }
  }

  control(control: Control): void {
    if (control.control === 'close') this.#closing = true;
    this.send(encodeControl(control, 'done'));
  }

  async read(endpoint: number, feature: number, attribute: number): Promise<CborValue | undefined> {
    const { status, payload } = await this.ask(Operation.READ, endpoint, feature, [attribute]);
    if (status !== 0) throw new Refuted(`Read ${endpoint}/${feature}/${attribute}: status ${status}`);
    return payload.get(attribute);
  }

  /** Parameters under their names. */
  invoke(endpoint: number, feature: number, command: number, parameters: Readonly<Record<string, CborValue>> = {}): Promise<Reply> {
    const payload = new Map<number, CborValue>([[1, command]]);
    const given = Object.entries(parameters);
    if (given.length > 0) payload.set(2, new Map(given));
    return this.ask(Operation.INVOKE, endpoint, feature, payload);
  }

  get open(): boolean {
    return !this.#closed;
  }

  destroy(): void {
    this.#connection.destroy('the case is done');
  }

  /** A close of the device's own is acknowledged at once. */
  #onValue(value: CborValue): void {
    const inbound = classify(value, () => false);
    if (!this.#closing && inbound.kind === 'control' && inbound.control.control === 'close')
      this.send(encodeControl({ control: 'closeAck', form: inbound.control.form }));
    this.#frames.push(value);
    this.#wake?.();
  }

  #until(ready: () => boolean, timeout: number): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => {
      const deadline = this.#clock.after('frame', timeout, () => settle());
      const settle = (): void => {
        deadline.cancel();
        this.#wake = undefined;
        resolve();
      };
      this.#wake = () => {
        if (ready()) settle();
      };
    });
  }
}
