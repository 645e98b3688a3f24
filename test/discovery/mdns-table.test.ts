import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const lines = readFileSync(new URL('../../docs/mdns.md', import.meta.url), 'utf8').split('\n');
/** Rows of the tables: section, rule, what shows it. */
const rows = lines
  .filter((line) => /^\| \d/.test(line))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, 4),
  );

function fileOf(name: string): URL {
  const [inside, outside] = [`./${name}.test.ts`, `../${name}.test.ts`].map((path) => new URL(path, import.meta.url)) as [URL, URL];
  return existsSync(inside) ? inside : outside;
}

describe('docs/mdns.md, RFC 6762 rule by rule', () => {
  it.each(rows)('§%s %s', (_section, _rule, shown = '') => {
    const references = [...shown.matchAll(/`([a-z0-9/-]+): ([^`]+)`/g)].map(([, file, title]) => [file, title] as [string, string]);
    if (references.length === 0) expect(shown).toMatch(/^(Exception|Structure): ./);
    for (const [file, title] of references) {
      const url = fileOf(file);
      expect(existsSync(url), `${file} exists`).toBe(true);
      expect(readFileSync(url, 'utf8').includes(title), `${file} has a test '${title}'`).toBe(true);
    }
  });

  it('says how many rows and exceptions it has', () => {
    const exceptions = rows.filter(([, , shown = '']) => shown.includes('Exception'));
    expect(lines.join(' ')).toContain(`${rows.length} rows, ${exceptions.length} of them with an exception.`);
  });

  it('has every section of §5–§11 and §14–§18 in order', () => {
    const numbers = rows.map(([section = '']) => Number(section.split(/[.,–]/)[0]));
    expect([...new Set(numbers)]).toEqual([5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18]);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });
});
