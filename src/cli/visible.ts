/** A line of text without what would move a terminal's cursor, escaped as JSON escapes it: peers, and whoever is on the link, choose some of these texts. */
export function visible(line: string): string {
  return line.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
