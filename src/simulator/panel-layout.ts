import type { Shown } from '../../hal/mock/index.js';
import type { TerminalSize } from './footer.js';

/** A line of the panel: what it is about, and items that may stand on several lines of a narrow terminal. */
export interface PanelRow {
  readonly label: string;
  readonly items: readonly string[];
}

/** A QR code as lines of the terminal, two modules a character one above the other. */
export type QrLines = (content: string) => readonly string[];

const MARGIN = '  ';
const LABEL_WIDTH = 9;
/** Between the code and the texts beside it. */
const GAP = '   ';
/** Of the log above, at least. */
const LOG_ROWS = 2;

/** `  control  1: LIMITED · limit 4.200 kW`, continued below where the terminal is too narrow. */
export function layRow({ label, items }: PanelRow, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const item of items) {
    const longer = line === '' ? item : `${line} · ${item}`;
    if (line !== '' && MARGIN.length + LABEL_WIDTH + longer.length >= columns) {
      lines.push(line);
      line = item;
    } else line = longer;
  }
  lines.push(line);
  return lines.map((text, i) => `${MARGIN}${(i === 0 ? label : '').padEnd(LABEL_WIDTH)}${text}`);
}

/** What the panel shows: the display, rows below it, and the keys. */
export interface PanelContent {
  readonly shown: Shown;
  readonly rows: readonly PanelRow[];
  readonly keys: readonly string[];
}

/**
 * The whole panel. A code has its texts and the keys beside it; on a terminal that is too narrow for that it has its texts below it, and on one that
 * is too small for the code the texts stand alone.
 */
export function layPanel({ shown, rows, keys }: PanelContent, size: TerminalSize, qrLines: QrLines): readonly string[] {
  if (shown.kind === 'blank') return [];
  const below = rows.flatMap((row) => layRow(row, size.columns));
  if (shown.kind === 'qr') {
    const beside = layBeside(shown, keys, { ...size, rows: size.rows - below.length - LOG_ROWS }, qrLines);
    if (beside !== undefined) return [...beside, ...below];
  }
  below.push(...layRow({ label: 'keys', items: keys }, size.columns));
  return [...layDisplay(shown, { ...size, rows: size.rows - below.length - LOG_ROWS }, qrLines), ...below];
}

function layBeside(shown: Shown & { kind: 'qr' }, keys: readonly string[], { columns, rows }: TerminalSize, qrLines: QrLines) {
  const code = qrLines(shown.content);
  const texts = [shown.content, ...shown.lines, '', ...keys.map((key) => `[${key.slice(0, 1)}]${key.slice(1)}`)];
  const width = Math.max(...texts.map((text) => text.length));
  if (code.length > rows || texts.length > code.length || MARGIN.length + widthOf(code) + GAP.length + width >= columns) return undefined;
  const above = Math.floor((code.length - texts.length) / 2);
  return code.map((line, i) => `${MARGIN}${line}${GAP}${texts[i - above] ?? ''}`.trimEnd());
}

function layDisplay(shown: Exclude<Shown, { kind: 'blank' }>, { columns, rows }: TerminalSize, qrLines: QrLines): readonly string[] {
  if (shown.kind === 'text') return layRow({ label: 'display', items: shown.lines }, columns);
  const texts = [shown.content, ...shown.lines];
  const code = qrLines(shown.content);
  const fits = code.length + texts.length <= rows && MARGIN.length + widthOf(code) < columns;
  return [...(fits ? code : []), ...texts, ...(fits ? [] : ['(no room for the QR code)'])].map((line) => `${MARGIN}${line}`);
}

/** A character is one module wide and two high, and the code is a square. */
function widthOf(code: readonly string[]): number {
  return code.length * 2 - 1;
}
