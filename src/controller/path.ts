import { ConfigError, closest } from '../errors.js';
import { featureNames, featureNumber } from './names.js';

/** `[ENDPOINT/]FEATURE[/NAME]`: `1/EnergyControl/setLimit`, `0/1/4`, `Measurement`. */
export interface Path {
  /** Undefined: the one that has the feature. */
  readonly endpoint: number | undefined;
  readonly feature: number;
  /** Of an attribute or a command. */
  readonly name: string | undefined;
}

const FORM = 'ENDPOINT/FEATURE[/NAME] or FEATURE[/NAME]';

/** Throws ConfigError naming the closest right name. */
export function parsePath(text: string): Path {
  const words = text.split('/');
  // A feature alone goes by its name: a number stands for an endpoint.
  const endpoint = isNumber(words[0]) ? Number(words.shift()) : undefined;
  const [featureText = '', name, ...rest] = words;
  if (featureText === '' || rest.length > 0) throw new ConfigError('path', `'${text}' is not ${FORM}`);
  if (endpoint !== undefined && endpoint > 255) throw new ConfigError('endpoint', `'${endpoint}' is not a number of 0…255`);
  const feature = featureNumber(featureText);
  if (feature === undefined) throw unknownName('feature', featureText, featureNames());
  return { endpoint, feature, name: name === '' ? undefined : name };
}

/** True for what cannot be meant as a device: it has a slash, or is the name of a feature. */
export function isPath(word: string | undefined): boolean {
  return word !== undefined && (word.includes('/') || (!isNumber(word) && featureNumber(word) !== undefined));
}

export function unknownName(what: string, text: string, names: readonly string[]): ConfigError {
  return new ConfigError(what, `'${text}' is neither a number nor a name; the closest name is '${closest(text, names) ?? 'none'}'`);
}

function isNumber(word: string | undefined): boolean {
  return word !== undefined && /^(\d+|0x[\da-f]+)$/i.test(word);
}
