import { ConfigError } from '../errors.js';

/** A number, or a text; whether something is supported is 1 or 0. */
export type PicsValue = number | string;

export interface PicsLine {
  /** `MASH.S.TRANS.PORT` */
  readonly code: string;
  readonly value: PicsValue;
  /** For people: one line. */
  readonly about: string;
}

/** Lines under one heading. */
export interface PicsSection {
  readonly title: string;
  readonly lines: readonly PicsLine[];
}

export interface PicsDocument {
  /** `# ` lines at its beginning. */
  readonly head: readonly string[];
  readonly sections: readonly PicsSection[];
}

/** A PICS file (pics-format §3): `CODE=value` lines, comments behind `#`. `parsePics` reads it. */
export function formatPics({ head, sections }: PicsDocument): string {
  const lines = head.map((text) => `# ${text}`);
  for (const { title, lines: inside } of sections) {
    lines.push('', `# ${title}`);
    for (const { code, value, about } of inside) lines.push(`${`${code}=${written(value)}`.padEnd(44)} # ${about}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The same as YAML: one mapping of codes to values. Texts are quoted. */
export function formatPicsYaml({ head, sections }: PicsDocument): string {
  const lines = head.map((text) => `# ${text}`);
  for (const { title, lines: inside } of sections) {
    lines.push('', `# ${title}`);
    for (const { code, value, about } of inside)
      lines.push(`${`${code}: ${typeof value === 'string' ? JSON.stringify(value) : value}`.padEnd(44)} # ${about}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A PICS that was read. Codes compare without regard to case (pics-format §3.2). */
export class Pics {
  readonly #values = new Map<string, { readonly code: string; readonly value: PicsValue }>();

  /** Throws ConfigError for a code that is there with another value. */
  set(code: string, value: PicsValue): void {
    const key = code.toUpperCase();
    const known = this.#values.get(key);
    if (known !== undefined && known.value !== value) throw new ConfigError(code, `${known.value} and ${value}`);
    this.#values.set(key, { code, value });
  }

  /** Undefined: not declared. */
  get(code: string): PicsValue | undefined {
    return this.#values.get(code.toUpperCase())?.value;
  }

  /** Declared, and neither 0 nor empty. */
  supports(code: string): boolean {
    const value = this.get(code);
    return value !== undefined && value !== 0 && value !== '';
  }

  /** In the order of the file. */
  get codes(): readonly string[] {
    return [...this.#values.values()].map(({ code }) => code);
  }

  get size(): number {
    return this.#values.size;
  }
}

/** Reads a PICS file (pics-format §3.2, §3.3). Throws ConfigError naming the line. */
export function parsePics(text: string): Pics {
  const pics = new Pics();
  text.split('\n').forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const where = `PICS line ${i + 1}`;
    const at = line.indexOf('=');
    const code = line.slice(0, Math.max(0, at)).trim();
    if (at < 0 || !isCode(code)) throw new ConfigError(where, 'CODE=value is due');
    try {
      pics.set(code, parseValue(line.slice(at + 1).trim()));
    } catch (error) {
      throw error instanceof ConfigError ? new ConfigError(where, error.message) : error;
    }
  });
  return pics;
}

/** Numbers bare, and texts that can be taken for nothing else: `EV_CHARGER`, `1.0`; others in quotes. */
function written(value: PicsValue): string {
  if (typeof value === 'number') return String(value);
  return value !== '' && [...value].every((character) => isUpper(character) || character === '.') && typeof read(value) === 'string'
    ? value
    : `"${value}"`;
}

function parseValue(text: string): PicsValue {
  if (!text.startsWith('"')) {
    const comment = text.indexOf('#');
    const bare = (comment < 0 ? text : text.slice(0, comment)).trim();
    if (bare === '') throw new ConfigError('value', 'missing');
    return read(bare);
  }
  const end = text.indexOf('"', 1);
  const rest = text.slice(end + 1).trim();
  if (end < 0 || (rest !== '' && !rest.startsWith('#'))) throw new ConfigError('value', 'a text ends at its second quotation mark');
  return text.slice(1, end);
}

/** `1.0` is a version: a number is what looks the same when it is written again. */
function read(bare: string): PicsValue {
  const value = Number(bare);
  return Number.isFinite(value) && String(value) === bare ? value : bare;
}

/** `MASH.S` or `MASH.C`, then parts of letters, digits and `_` behind dots. */
function isCode(code: string): boolean {
  const [first, side, ...rest] = code.toUpperCase().split('.');
  if (first !== 'MASH' || (side !== 'S' && side !== 'C')) return false;
  return rest.every((part) => part !== '' && [...part].every(isUpper));
}

function isUpper(character: string): boolean {
  return (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9') || character === '_';
}
