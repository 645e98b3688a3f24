import { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:tty';
import qr from 'qr';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MockButton } from '../../hal/mock/index.js';
import type { DeviceStatus } from '../../src/device.js';
import { noColour } from '../../src/simulator/colour.js';
import { Footer, type TerminalSize } from '../../src/simulator/footer.js';
import { layPanel, layRow } from '../../src/simulator/panel-layout.js';
import { qrLines } from '../../src/simulator/qr-lines.js';
import { statusRows } from '../../src/simulator/status-rows.js';
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

  it('NO_COLOR: in the colours of the terminal', () => {
    expect([noColour({}), noColour({ NO_COLOR: '' }), noColour({ NO_COLOR: '1' })]).toEqual([false, false, true]);
    expect(qrLines(CONTENT, true)).toEqual(qrLines(CONTENT).map((line) => line.slice(8, -4)));
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
  const size = { columns: 80, rows: 24 };
  const subject = new TerminalPanel(button, { write: (text) => written.push(text), surroundings, size: () => size, qrLines });
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
    subject.draw({ kind: 'blank' });
    expect(written).toEqual([]);
    subject.draw({ kind: 'text', lines: ['Simulated EVSE', '1 zone'] });
    expect(written.at(-1)).toBe('  display  Simulated EVSE · 1 zone\n  keys     b button · l long press · q quit\n');
    subject.draw({ kind: 'qr', content: CONTENT, lines: ['Code 20220211'] });
    for (const line of qrLines(CONTENT)) expect(written.at(-1)).toContain(`  ${line}`);
    expect(written.at(-1)).toMatch(new RegExp(`   ${CONTENT}\n.*   Code 20220211\n`));
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
    subject.draw({ kind: 'text', lines: ['Heat Pump'] });
    expect(written.at(-1)).toContain('  around   1.50 kW\n  keys     b button · l long press · d defrost · s state · q quit\n');
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

describe('the layout', () => {
  const code = { kind: 'qr', content: CONTENT, lines: ['Discriminator 1234', 'Code 20220211'] } as const;
  const keys = ['b button', 'l long press', 'p plug in or out', 'd demand', 'f fault', 'n meter noise', 's state', 'q quit'];
  const rows = ['window', 'zones', 'control', 'around'].map((label) => ({ label, items: ['is so'] }));
  const panelOn = (columns: number, height: number) =>
    layPanel({ shown: code, rows, keys }, { columns, rows: height }, (content) => qrLines(content, true));
  const height = qrLines(CONTENT).length;
  const below = rows.map((row) => layRow(row, 40).join());

  it('a terminal of 80 by 24 holds the code with its texts and the keys beside it, the rows, and two lines more', () => {
    const lines = panelOn(80, 24);
    expect(lines.length).toBeLessThanOrEqual(24 - 2);
    expect(lines.every((line) => line.length < 80)).toBe(true);
    expect(lines.slice(0, height).map((line) => line.slice(2, 2 + height * 2 - 1))).toEqual(qrLines(CONTENT, true));
    const beside = lines.slice(0, height).map((line) => line.slice(2 + height * 2 - 1).trim());
    const marked = keys.map((key) => key.replace(/^./, '[$&]'));
    expect(beside.filter((text) => text !== '')).toEqual([CONTENT, ...code.lines, ...marked]);
    expect(lines.slice(height)).toEqual(below);
  });

  it('a narrow and high one shows the texts below the code', () => {
    const lines = panelOn(40, 40);
    expect(lines.slice(0, height + 3)).toEqual([...qrLines(CONTENT, true), CONTENT, ...code.lines].map((line) => `  ${line}`));
    expect(lines.slice(height + 3, height + 7)).toEqual(below);
    expect(lines[height + 7]).toBe('  keys     b button · l long press');
  });

  it('a small one shows the texts alone', () => {
    const lines = panelOn(40, 15);
    expect(lines.slice(0, 8)).toEqual([...[CONTENT, ...code.lines, '(no room for the QR code)'].map((line) => `  ${line}`), ...below]);
  });

  it('items that do not fit stand below', () => {
    const row = { label: 'control', items: ['1: LIMITED', 'limit 4.200 kW', 'power 4.190 kW'] };
    expect(layRow(row, 80)).toEqual(['  control  1: LIMITED · limit 4.200 kW · power 4.190 kW']);
    expect(layRow(row, 40)).toEqual(['  control  1: LIMITED · limit 4.200 kW', '           power 4.190 kW']);
    expect(layRow(row, 5)).toEqual(['  control  1: LIMITED', '           limit 4.200 kW', '           power 4.190 kW']);
  });
});

describe('Footer', () => {
  const footer = (size: TerminalSize = { columns: 80, rows: 24 }) => {
    const written: string[] = [];
    const now = { ...size };
    return {
      written,
      now,
      subject: new Footer(
        (text) => written.push(text),
        () => now,
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

  it('writes the lines that differ alone', () => {
    const { written, subject } = footer();
    subject.show(['a', 'b', 'c']);
    subject.show(['a', 'x', 'c']);
    expect(written[1]).toBe('\u001b[3A\r\n\u001b[2Kx\n\n');
  });

  it('is cut at the size of the terminal, so that no line wraps or scrolls away; colours take no room', () => {
    const { written, subject } = footer({ columns: 5, rows: 4 });
    subject.show(['●●●●●●', 'ab', '\u001b[97;40m████\u001b[0m', 'out']);
    expect(written).toEqual(['●●●●\nab\n\u001b[97;40m████\u001b[0m\n']);
  });

  it('a terminal that became narrower has wrapped it: all of that is erased', () => {
    const { written, subject, now } = footer({ columns: 9, rows: 24 });
    subject.show(['12345678', 'ab']);
    Object.assign(now, { columns: 4 });
    subject.show(['12345678', 'ab']);
    expect(written[1]).toBe('\u001b[3A\r\u001b[J123\nab\n');
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
    windowUntil: undefined,
    remote: undefined,
  } as unknown as DeviceStatus;

  const lines = (shown: DeviceStatus, now: number) => statusRows(shown, now).map((row) => layRow(row, 200).join());

  it('zones, control state, failsafe remainder, limit, power, relay', () => {
    expect(lines(status, 2500)).toEqual([
      '  zones    GRID_OPERATOR Grid?[2J ● · HOME_MANAGER Home Energy ○ away',
      '  control  1: FAILSAFE 3:59:58 · limit 4.200 kW · power 4.190 kW · relay closed',
    ]);
  });

  it('a test mode, before everything else', () => {
    const [first] = lines({ ...status, testMode: 'TEST MODE: a TEST zone that knows the enable key commands this device' }, 2500);
    expect(first).toBe('  mode     TEST MODE: a TEST zone that knows the enable key commands this device');
  });

  it('alone, without a limit, without parts', () => {
    const alone = { ...energy, controlState: 0, effectiveConsumptionLimit: null, failsafeUntil: undefined };
    expect(lines({ ...status, zones: [], energy: [alone], power: undefined, relayClosed: undefined }, 0)).toEqual([
      '  zones    none',
      '  control  1: AUTONOMOUS · limit none',
    ]);
  });

  it('an open window, a certificate that wants a renewal', () => {
    const home = { ...zone, name: 'Home', type: 3, connected: true, certificate: 'expiring' } as const;
    expect(lines({ ...status, windowUntil: 120_000, zones: [home], energy: [] }, 30_500)).toEqual([
      '  window   open for 90 s',
      '  zones    HOME_MANAGER Home ● (certificate about to expire)',
    ]);
  });

  it('docs/remote.md: the port on the router, while one is wanted', () => {
    const reach = (remote: DeviceStatus['remote']) => lines({ ...status, zones: [], energy: [], remote }, 0)[1];
    const opening = { address: '2001:db8::1', port: 8443, until: 1_800_000 };
    expect(reach(undefined)).toBeUndefined();
    expect(reach({ opening: undefined, problem: undefined })).toBe('  internet not reachable');
    expect(reach({ opening: undefined, problem: 'no router\u001b[2J' })).toBe('  internet not reachable · no router?[2J');
    expect(reach({ opening, problem: undefined })).toBe('  internet reachable at [2001:db8::1]:8443 · for 0:30:00');
    expect(reach({ opening: { ...opening, address: '203.0.113.7' }, problem: 'refused' })).toBe(
      '  internet reachable at 203.0.113.7:8443 · for 0:30:00 · refused',
    );
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
    subject.draw({ kind: 'text', lines: ['Simulated EVSE'] });
    written.length = 0;
    const release = subject.watch(device, () => now);
    expect(written).toHaveLength(1);
    changed();
    expect(written).toHaveLength(1);
    now = 1000;
    vi.advanceTimersByTime(1000);
    expect(written[1]).toContain('FAILSAFE 3:59:59');
    release();
    // A device that stops clears its display, and its relay is released by then.
    Object.defineProperty(device, 'status', {
      get: () => {
        throw new Error('looked at');
      },
    });
    subject.draw({ kind: 'blank' });
    vi.advanceTimersByTime(5000);
    expect(written).toHaveLength(3);
    vi.useRealTimers();
  });
});
