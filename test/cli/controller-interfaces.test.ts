import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { checkInterfaces, interfacesArgument } from '../../src/cli/controller-options.js';
import { ConfigError } from '../../src/errors.js';

const [loopback = 'lo'] = Object.keys(networkInterfaces());

it('takes names, beginnings and kinds, with commas or repeated', () => {
  const parse = interfacesArgument('--interface');
  expect(parse('eth0, wlan*', parse('kind:bridge'))).toEqual(['kind:bridge', 'eth0', 'wlan*']);
});

it.each([
  [{ allow: [`${loopback}x`] }, `no interface '${loopback}x' is up; the closest is '${loopback}'`],
  [{ allow: ['nothing*'] }, 'nothing that is up fits nothing*'],
  [{ allow: [loopback], deny: [`${loopback.slice(0, 1)}*`] }, `nothing that is up fits ${loopback}, what is denied left out`],
])('%j is refused: a command would wait in vain', (choice, message) => {
  expect(() => checkInterfaces(choice)).toThrow(new ConfigError('--interface', message));
});

it.each([{}, { deny: ['*'] }, { allow: [loopback] }, { allow: [`${loopback.slice(0, 1)}*`, 'nothing*'] }].map((choice) => [choice]))(
  '%j is taken',
  (choice) => {
    expect(() => checkInterfaces({ allow: undefined, deny: undefined, ...choice })).not.toThrow();
  },
);
