import type { Button, Display, PowerStage, Relay, RelayDriver } from '../../hal/index.js';
import { type Press, watchPresses } from '../commissioning/press.js';
import type { BoardDefinition } from '../model/board.js';
import type { Clock, Log } from '../platform.js';

/** The parts that a board gives the runtime. It starts without any part it can do without. */
export interface DeviceParts {
  readonly button?: Button;
  readonly display?: Display;
  readonly relay?: RelayDriver;
  /** By endpoint; one with electrical ratings and no stage is at rest. */
  readonly powerStages?: ReadonlyMap<number, PowerStage>;
  /** A meter of the board's own, mW: what the site has over, this device's draw included (negative: it lacks that much); null: unknown now. */
  readonly surplus?: () => number | null;
}

/** Button, display and relay of the device. A part that fails is reported and ends nothing else. */
export class DevicePanel {
  readonly #board: BoardDefinition;
  readonly #parts: DeviceParts;
  readonly #log: Log;
  #relay: Relay | undefined;
  #unwatch: (() => void) | undefined;
  #closed = false;

  constructor(board: BoardDefinition, parts: DeviceParts, log: Log) {
    this.#board = board;
    this.#parts = parts;
    this.#log = log.scoped('panel');
  }

  /** Takes the relay in its safe state: the first thing the runtime does. */
  start(clock: Clock, onPress: (press: Press) => void): void {
    const { relay, button } = this.#parts;
    this.#try('relay', () => {
      this.#relay = relay?.request(this.#board.parts.relay.safe);
    });
    this.#try('button', () => {
      if (button !== undefined) this.#unwatch = watchPresses(button, clock, onPress, this.#board.parts.button.longPress);
    });
  }

  /** Read back from the line; undefined without a relay. */
  get relayClosed(): boolean | undefined {
    let closed: boolean | undefined;
    this.#try('relay', () => {
      closed = this.#relay?.read();
    });
    return closed;
  }

  /** Nothing is switched once the panel is closed. */
  setRelay(closed: boolean): void {
    if (!this.#closed) this.#try('relay', () => this.#relay?.set(closed));
  }

  showText(lines: readonly string[]): void {
    if (!this.#closed) this.#try('display', () => this.#parts.display?.text(lines));
  }

  showQr(content: string, lines: readonly string[]): void {
    if (!this.#closed) this.#try('display', () => this.#parts.display?.qr(content, lines));
  }

  /** Idempotent; nothing is shown afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch?.();
    this.#try('relay', () => this.#relay?.release());
    this.#try('display', () => this.#parts.display?.clear());
    this.#try('display', () => this.#parts.display?.close());
  }

  #try(part: string, use: () => void): void {
    try {
      use();
    } catch (error) {
      this.#log.error('a part failed', { part, reason: error instanceof Error ? error.message : String(error) });
    }
  }
}
