import { ConfigError } from '../errors.js';

/** The codes of a PICS file with their values: `CODE=value`, one a line; `#` begins a comment. Throws ConfigError naming the line. */
export function readPicsFile(text: string, where: string): ReadonlyMap<string, string> {
  const codes = new Map<string, string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.split('#', 1)[0]?.trim() ?? '';
    if (line === '') continue;
    const at = line.indexOf('=');
    const code = line.slice(0, Math.max(0, at)).trim();
    if (at < 1 || /\s/.test(code)) throw new ConfigError(where, `line ${index + 1}: CODE=value is due, not '${line}'`);
    if (codes.has(code)) throw new ConfigError(where, `line ${index + 1}: ${code} is given twice`);
    codes.set(
      code,
      line
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1'),
    );
  }
  return codes;
}
