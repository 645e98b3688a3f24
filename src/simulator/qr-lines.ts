import qr from 'qr';

/** Two modules a character, dark on light, so that a phone reads it from a dark terminal too. `plain`: in the terminal's own colours, bright on dark. */
export function qrLines(content: string, plain = false): string[] {
  const modules = qr(content, 'raw', { ecc: 'medium', border: 2 });
  const lines: string[] = [];
  for (let y = 0; y < modules.length; y += 2) {
    const upper = modules[y] ?? [];
    const lower = modules[y + 1] ?? [];
    // White foreground and black background are stated, whatever the terminal's colours are.
    const row = upper.map((dark, x) => (dark ? (lower[x] === true ? ' ' : '▄') : lower[x] === true ? '▀' : '█'));
    lines.push(plain ? row.join('') : `\u001b[97;40m${row.join('')}\u001b[0m`);
  }
  return lines;
}
