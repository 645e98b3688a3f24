import type { MockButton, Shown } from '../../hal/mock/index.js';
import type { MashDevice } from '../device.js';
import { Footer } from './footer.js';
import { statusLines } from './status-lines.js';

/** How long the simulated finger stays on the button for a long press. */
const LONG_PRESS = 3200;
const SHORT_PRESS = 80;
/** How often power and failsafe remainder are looked at. */
const LOOK = 1000;

/** What surrounds the simulated device, and what can be done to it. */
export interface Surroundings {
  /** One key each, none of `b`, `l`, `s`, `q`. */
  readonly acts: readonly { readonly key: string; readonly text: string; run(): void }[];
  /** One line. */
  describe(): string;
}

/** The simulated device on a terminal: its display is drawn, its button is a key, and what it does stands below everything else. */
export class TerminalPanel {
  readonly #footer: Footer;
  readonly #button: MockButton;
  readonly #surroundings: Surroundings | undefined;
  #release: NodeJS.Timeout | undefined;

  constructor(button: MockButton, write: (text: string) => void, surroundings?: Surroundings, columns: () => number = () => 80) {
    this.#button = button;
    this.#surroundings = surroundings;
    this.#footer = new Footer(write, columns);
  }

  /** Writes whole lines of something else: the log. */
  print(text: string): void {
    this.#footer.print(text);
  }

  /** Shows what the device does, as it changes, until the returned function is called. `now`: monotonic ms. */
  watch(device: Pick<MashDevice, 'status' | 'onChange'>, now: () => number): () => void {
    const around = (): readonly string[] => (this.#surroundings === undefined ? [] : [`  around   ${this.#surroundings.describe()}`]);
    const show = (): void => this.#footer.show([...statusLines(device.status, now()), ...around()]);
    const unwatch = device.onChange(show);
    const timer = setInterval(show, LOOK);
    show();
    return () => {
      unwatch();
      clearInterval(timer);
      this.#footer.close();
    };
  }

  /** Draws what the display shows; `qrLines` gives a QR code as lines of the terminal. */
  draw(shown: Shown, qrLines: (content: string) => readonly string[]): void {
    if (shown.kind === 'blank') return;
    const lines = shown.kind === 'qr' ? [...qrLines(shown.content), shown.content, ...shown.lines] : [...shown.lines];
    this.#footer.print(`\n${lines.map((line) => `  ${line}`).join('\n')}\n\n  ${this.#keys()}\n\n`);
  }

  /** Presses and lets go after the time that the kind of press takes. */
  press(kind: 'short' | 'long'): void {
    if (this.#button.pressed) return;
    this.#button.press();
    this.#release = setTimeout(() => this.#button.release(), kind === 'short' ? SHORT_PRESS : LONG_PRESS);
  }

  /** Reads keys until the returned function is called. */
  readKeys(input: NodeJS.ReadStream, quit: () => void): () => void {
    const onKey = (chunk: Buffer): void => {
      for (const key of chunk.toString('latin1')) {
        if (key === 'b') this.press('short');
        else if (key === 'l') this.press('long');
        else if (key === 's') this.#look();
        else if (key === 'q' || key === '\u0003') quit();
        else this.#act(key);
      }
    };
    input.setRawMode(true);
    input.on('data', onKey);
    return () => {
      clearTimeout(this.#release);
      input.off('data', onKey);
      input.setRawMode(false);
      input.pause();
    };
  }

  #act(key: string): void {
    const act = this.#surroundings?.acts.find((each) => each.key === key);
    if (act === undefined) return;
    act.run();
    this.#look();
  }

  #look(): void {
    if (this.#surroundings !== undefined) this.#footer.print(`  ${this.#surroundings.describe()}\n`);
  }

  #keys(): string {
    const acts = this.#surroundings === undefined ? [] : [...this.#surroundings.acts.map(({ key, text }) => `${key} ${text}`), 's state'];
    return `keys: ${['b button', 'l long press', ...acts, 'q quit'].join(' · ')}`;
  }
}
