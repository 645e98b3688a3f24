#!/usr/bin/env node
import { nodeTransport } from '../controller/tls-client.js';
import { nodeClock } from '../node/clock.js';
import { nodeCrypto } from '../node/crypto.js';
import { nodeListener } from '../node/listener.js';
import { nodeMulticast } from '../node/multicast.js';
import type { Machine } from './controller-context.js';
import { main } from './controller-main.js';
import { checkInterfaces } from './controller-options.js';

function thisMachine(): Machine {
  const clock = nodeClock();
  return {
    clock,
    crypto: nodeCrypto(),
    transport: nodeTransport(clock),
    multicast: ({ interfaces, ipv4 }) => {
      checkInterfaces(interfaces);
      return nodeMulticast({ ipv4, interfaces: interfaces.allow, denied: interfaces.deny });
    },
    listener: ({ ipv4, log }) => nodeListener({ clock, log, ipv4 }),
  };
}

/** Stops what goes on until Ctrl-C; a command that ends by itself has none. */
let interrupt = (): void => {};

// `subscribe --follow | head` ends the pipe: nobody reads on, so what would go on ends, and what has begun is finished.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    interrupt();
  });

// Not awaited: in the bundle, what is loaded lazily stands behind this line.
void main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  machine: thisMachine,
  onInterrupt: (stop) => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const release = (): void => {
      interrupt = () => {};
      for (const signal of signals) process.off(signal, first);
    };
    // A second one ends the process.
    const first = (): void => {
      release();
      stop();
    };
    for (const signal of signals) process.on(signal, first);
    interrupt = first;
    return release;
  },
}).then((code) => {
  process.exitCode = code;
});
