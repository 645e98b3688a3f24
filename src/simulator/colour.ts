/** Whether the user wants no colours: NO_COLOR, not empty (https://no-color.org). */
export function noColour(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env['NO_COLOR'] ?? '') !== '';
}
