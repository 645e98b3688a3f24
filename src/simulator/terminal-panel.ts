import type { MockButton, Shown } from '../../hal/mock/index.js';
import type { MashDevice } from '../device.js';
import { Footer, type TerminalSize } from './footer.js';
import { layPanel, type PanelRow, type QrLines } from './panel-layout.js';
import { statusRows } from './status-rows.js';

/** How long the simulated finger stays on the button for a long press. */
const LONG_PRESS = 3200;
const SHORT_PRESS = 80;
/** How often power and remainders are looked at. */
const LOOK = 1000;

/** What surrounds the simulated device, and what can be done to it. */
export interface Surroundings {
  /** One key each, none of `b`, `l`, `s`, `q`. */
  readonly acts: readonly { readonly key: string; readonly text: string; run(): void }[];
  /** One line. */
  describe(): string;
}

export interface TerminalPanelOptions {
  readonly write: (text: string) => void;
  readonly surroundings?: Surroundings | undefined;
  readonly size: () => TerminalSize;
  /** For what the display shows; its tables cost a start 2 ms, so that it is given where somebody looks. */
  readonly qrLines?: QrLines | undefined;
}

/** The simulated device on a terminal: its display is drawn, its button is a key, and what it does stands below everything else. */
export class TerminalPanel {
  readonly #footer: Footer;
  readonly #button: MockButton;
  readonly #options: TerminalPanelOptions;
  #shown: Shown = { kind: 'blank' };
  #status: () => readonly PanelRow[] = () => [];
  #release: NodeJS.Timeout | undefined;

  constructor(button: MockButton, options: TerminalPanelOptions) {
    this.#button = button;
    this.#options = options;
    this.#footer = new Footer(options.write, options.size);
  }

  /** Writes whole lines of something else: the log. */
  print(text: string): void {
    this.#footer.print(text);
  }

  /** Shows what the device does, as it changes, until the returned function is called. `now`: monotonic ms. */
  watch(device: { readonly status: Parameters<typeof statusRows>[0] } & Pick<MashDevice, 'onChange'>, now: () => number): () => void {
    this.#status = () => statusRows(device.status, now());
    const unwatch = device.onChange(() => this.refresh());
    const timer = setInterval(() => this.refresh(), LOOK);
    this.refresh();
    return () => {
      unwatch();
      clearInterval(timer);
      this.close();
    };
  }

  /** Draws what the display shows. */
  draw(shown: Shown): void {
    this.#shown = shown;
    this.refresh();
  }

  /** Draws everything as it is now: the terminal may have another size. */
  refresh(): void {
    const { surroundings, size, qrLines = () => [] } = this.#options;
    const around = surroundings === undefined ? [] : [{ label: 'around', items: [surroundings.describe()] }];
    const content = { shown: this.#shown, rows: [...this.#status(), ...around], keys: this.#keys() };
    this.#footer.show(layPanel(content, size(), qrLines));
  }

  /** Takes the panel away, and looks at the device no more. What is printed afterwards stands alone. */
  close(): void {
    this.#status = () => [];
    this.#footer.close();
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
    // A terminal that is gone is no error of the device: SIGHUP tells.
    input.on('error', () => undefined);
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
    const act = this.#options.surroundings?.acts.find((each) => each.key === key);
    if (act === undefined) return;
    act.run();
    this.#look();
  }

  /** What is so now, among the lines that stay. */
  #look(): void {
    const { surroundings } = this.#options;
    if (surroundings !== undefined) this.#footer.print(`  ${surroundings.describe()}\n`);
    this.refresh();
  }

  #keys(): readonly string[] {
    const { surroundings } = this.#options;
    const acts = surroundings === undefined ? [] : [...surroundings.acts.map(({ key, text }) => `${key} ${text}`), 's state'];
    return ['b button', 'l long press', ...acts, 'q quit'];
  }
}
