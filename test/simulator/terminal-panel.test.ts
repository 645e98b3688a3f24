import { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:tty';
import qr from 'qr';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MockButton } from '../../hal/mock/index.js';
import type { DeviceStatus } from '../../src/device.js';
import { Footer } from '../../src/simulator/footer.js';
import { qrLines } from '../../src/simulator/qr-lines.js';
import { statusLines } from '../../src/simulator/status-lines.js';
import { type Surroundings, TerminalPanel } from '../../src/simulator/terminal-panel.js';

const CONTENT = 'MASH:1:1234:20220211:0x1234:0x0001';

/** The modules that a phone sees: bright where the terminal is white. */
function seen(lines: readonly string[]): boolean[][] {
  return lines.flatMap((line) => {
    const row = line.replace('\u001b[97;40m', '').replace('\u001b[0m', '');
    return [
      [...row].map((character) => character === '█' || character === '▀'),
      [...row].map((character) => character === '█' || character === '▄'),
    ];
  });
}

describe('the QR code', () => {
  it('shows every module, with its border, bright on black', () => {
    const modules = qr(CONTENT, 'raw', { ecc: 'medium', border: 2 });
    const bright = seen(qrLines(CONTENT));
    for (const [y, row] of modules.entries()) for (const [x, dark] of row.entries()) expect(bright[y]?.[x]).toBe(!dark);
    // An odd number of rows: what is below the last one is border.
    expect(bright.slice(modules.length).flat().every(Boolean)).toBe(true);
    expect(bright[0]?.every(Boolean) && bright[1]?.every(Boolean)).toBe(true);
  });

  it('states its colours on every line', () => {
    for (const line of qrLines(CONTENT)) {
      expect(line.startsWith('\u001b[97;40m') && line.endsWith('\u001b[0m')).toBe(true);
      expect(line.slice(8, -4)).toMatch(/^[ ▀▄█]+$/);
    }
  });
});

class Keys extends EventEmitter {
  readonly modes: boolean[] = [];
  paused = false;
  setRawMode(mode: boolean): this {
    this.modes.push(mode);
    return this;
  }
  pause(): this {
    this.paused = true;
    return this;
  }
  type(text: string): void {
    this.emit('data', Buffer.from(text));
  }
}

function panel(surroundings?: Surroundings) {
  let now = 0;
  const button = new MockButton(() => now);
  const edges: [boolean, number][] = [];
  button.watch(({ pressed, at }) => edges.push([pressed, at]));
  const written: string[] = [];
  const keys = new Keys();
  const quits: number[] = [];
  const subject = new TerminalPanel(button, (text) => written.push(text), surroundings);
  const restore = subject.readKeys(keys as unknown as ReadStream, () => quits.push(now));
  const advance = (milliseconds: number): void => {
    now += milliseconds;
    vi.advanceTimersByTime(milliseconds);
  };
  return { button, edges, written, keys, quits, subject, restore, advance };
}

describe('TerminalPanel', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('draws texts and codes, and nothing for a blank display', () => {
    const { subject, written } = panel();
    subject.draw({ kind: 'blank' }, qrLines);
    expect(written).toEqual([]);
    subject.draw({ kind: 'text', lines: ['Simulated EVSE', '1 zone'] }, qrLines);
    expect(written.join('')).toContain('  Simulated EVSE\n  1 zone\n');
    subject.draw({ kind: 'qr', content: CONTENT, lines: ['Code 20220211'] }, qrLines);
    expect(written[1]).toContain(
      `${qrLines(CONTENT)
        .map((line) => `  ${line}\n`)
        .join('')}  ${CONTENT}\n  Code 20220211\n`,
    );
    expect(written[1]).toContain('keys: b button');
  });

  it.each([
    ['b', 80],
    ['l', 3200],
  ])('key %s holds the button for %i ms', (key, held) => {
    const { keys, edges, advance } = panel();
    keys.type(key);
    advance(held - 1);
    expect(edges).toEqual([[true, 0]]);
    advance(1);
    expect(edges).toEqual([
      [true, 0],
      [false, held],
    ]);
  });

  it('a key while the button is held does nothing', () => {
    const { keys, edges, advance } = panel();
    keys.type('lbbl');
    advance(10_000);
    expect(edges.map(([pressed]) => pressed)).toEqual([true, false]);
    keys.type('b');
    expect(edges).toHaveLength(3);
  });

  it.each(['q', '\u0003'])('key %j quits', (key) => {
    const { keys, quits, edges } = panel();
    keys.type(`x${key}`);
    expect(quits).toEqual([0]);
    expect(edges).toEqual([]);
  });

  it('plays the surroundings: a key acts and shows what is so, s shows it alone', () => {
    const { keys, written, subject } = panel({
      acts: [{ key: 'd', text: 'defrost', run: () => written.push('ice') }],
      describe: () => '1.50 kW',
    });
    keys.type('dsx');
    expect(written).toEqual(['ice', '  1.50 kW\n', '  1.50 kW\n']);
    subject.draw({ kind: 'text', lines: ['Heat Pump'] }, qrLines);
    expect(written.at(-1)).toContain('keys: b button · l long press · d defrost · s state · q quit');
  });

  it('gives the terminal back', () => {
    const { keys, restore, edges, button, advance } = panel();
    keys.type('l');
    restore();
    expect(keys.modes).toEqual([true, false]);
    expect(keys.paused).toBe(true);
    keys.type('b');
    advance(10_000);
    expect(edges).toEqual([[true, 0]]);
    expect(button.pressed).toBe(true);
  });
});

describe('Footer', () => {
  const footer = (columns = 80) => {
    const written: string[] = [];
    return {
      written,
      subject: new Footer(
        (text) => written.push(text),
        () => columns,
      ),
    };
  };

  it('stays below what is printed: erased, printed, written again', () => {
    const { written, subject } = footer();
    subject.print('log 1\n');
    subject.show(['a', 'b']);
    subject.print('log 2\n');
    subject.show(['a', 'b']);
    subject.show(['c']);
    expect(written).toEqual(['log 1\n', 'a\nb\n', '\u001b[2A\r\u001b[Jlog 2\na\nb\n', '\u001b[2A\r\u001b[Jc\n']);
  });

  it('is cut at the width of the terminal, so that no line wraps', () => {
    const { written, subject } = footer(5);
    subject.show(['●●●●●●', 'ab']);
    expect(written).toEqual(['●●●●\nab\n']);
  });

  it('leaves nothing behind', () => {
    const { written, subject } = footer();
    subject.show(['a']);
    subject.close();
    subject.close();
    subject.show(['b']);
    subject.print('last\n');
    expect(written.slice(1)).toEqual(['\u001b[1A\r\u001b[J', 'last\n']);
  });
});

describe('what the device does', () => {
  const zone = { id: '1', certificate: 'valid', expiresAt: 0 } as const;
  const energy = { endpoint: 1, controlState: 3, effectiveConsumptionLimit: 4_200_000, failsafeUntil: 14_400_000 };
  const status = {
    zones: [
      { ...zone, name: 'Grid\u001b[2J', type: 1, connected: true },
      { ...zone, name: 'Home Energy', type: 3, connected: false },
    ],
    energy: [energy],
    power: 4_190_123,
    relayClosed: true,
    testMode: undefined,
  } as unknown as DeviceStatus;

  it('zones, control state, failsafe remainder, limit, power, relay', () => {
    expect(statusLines(status, 2500)).toEqual([
      '  zones    GRID_OPERATOR Grid?[2J ●   HOME_MANAGER Home Energy ○ away',
      '  control  1: FAILSAFE 3:59:58 · limit 4.200 kW · power 4.190 kW · relay closed',
    ]);
  });

  it('a test mode, before everything else', () => {
    expect(statusLines({ ...status, testMode: 'TEST MODE: a TEST zone that knows the enable key commands this device' }, 2500)[0]).toBe(
      '  TEST MODE: a TEST zone that knows the enable key commands this device',
    );
  });

  it('alone, without a limit, without parts', () => {
    const alone = { ...energy, controlState: 0, effectiveConsumptionLimit: null, failsafeUntil: undefined };
    expect(statusLines({ ...status, zones: [], energy: [alone], power: undefined, relayClosed: undefined }, 0)).toEqual([
      '  zones    none',
      '  control  1: AUTONOMOUS · limit none',
    ]);
  });

  it('is shown at each change and each second, until the panel lets go', () => {
    vi.useFakeTimers();
    const { subject, written } = panel();
    let now = 0;
    let changed = (): void => {};
    const device = {
      status,
      onChange: (listener: () => void) => {
        changed = listener;
        return () => {};
      },
    };
    const release = subject.watch(device, () => now);
    expect(written).toHaveLength(1);
    changed();
    expect(written).toHaveLength(1);
    now = 1000;
    vi.advanceTimersByTime(1000);
    expect(written[1]).toContain('FAILSAFE 3:59:59');
    release();
    vi.advanceTimersByTime(5000);
    expect(written).toHaveLength(3);
    vi.useRealTimers();
  });
});
