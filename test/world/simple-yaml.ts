export type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
}

/** The YAML of the specification's tables: block maps and lists, one-line flow maps and lists, plain and quoted scalars. Nothing else. */
export function parseYaml(source: string): Yaml {
  const lines: Line[] = source
    .split('\n')
    .map((line) => line.replace(/(^|\s)#[^"]*$/, '').trimEnd())
    .filter((line) => line.trim() !== '')
    .map((line) => ({ indent: line.length - line.trimStart().length, text: line.trim() }));
  return block(lines, lines[0]?.indent ?? 0);
}

/** Takes the lines of this indent and deeper off the front. */
function block(lines: Line[], indent: number): Yaml {
  const list: Yaml[] = [];
  const map: Record<string, Yaml> = {};
  while (lines[0] !== undefined && lines[0].indent === indent) {
    const { text } = lines.shift() as Line;
    if (text.startsWith('- ') && !text.startsWith('- {') && /^- \w+:(\s|$)/.test(text)) {
      lines.unshift({ indent: indent + 2, text: text.slice(2) });
      list.push(block(lines, indent + 2));
    } else if (text.startsWith('- ')) list.push(scalar(text.slice(2)));
    else {
      const [, key = '', rest = ''] = /^"?([^":]+)"?:\s*(.*)$/.exec(text) ?? [];
      const deeper = lines[0] !== undefined && (lines[0].indent > indent || (lines[0].indent === indent && lines[0].text.startsWith('- ')));
      map[key] = rest === '' ? (deeper ? block(lines, (lines[0] as Line).indent) : null) : scalar(rest);
    }
  }
  return list.length > 0 ? list : map;
}

function scalar(text: string): Yaml {
  if (text.startsWith('{')) return Object.fromEntries(parts(text).map((part) => pair(part)));
  if (text.startsWith('[')) return parts(text).map(scalar);
  if (/^".*"$/.test(text)) return text.slice(1, -1);
  if (/^-?(\d+|0x[\da-fA-F]+)$/.test(text)) return Number(text);
  return text === 'true' ? true : text === 'false' ? false : text;
}

function pair(part: string): [string, Yaml] {
  const colon = part.indexOf(':');
  return [part.slice(0, colon).trim(), scalar(part.slice(colon + 1).trim())];
}

/** The parts between the outer brackets, cut at commas outside of brackets and quotes. */
function parts(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let quoted = false;
  let part = '';
  for (const character of text.slice(1, -1)) {
    if (character === '"') quoted = !quoted;
    if (!quoted && '{['.includes(character)) depth += 1;
    if (!quoted && '}]'.includes(character)) depth -= 1;
    if (character === ',' && depth === 0 && !quoted) {
      found.push(part.trim());
      part = '';
    } else part += character;
  }
  return part.trim() === '' ? found : [...found, part.trim()];
}
