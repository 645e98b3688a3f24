// Who may know whom, as rules. A room knows itself, every room of the layers before its own, and of its own layer what `beside` names.

/** Rooms in layers, the lowest first. A room is a pattern of paths. */
const layers = [
  ['^hal/[^/]+$', '^src/platform\\.ts$', '^src/errors\\.ts$', '^src/secret\\.ts$', '^src/profile\\.ts$'],
  ['^src/codec/', '^src/crypto/'],
  ['^src/pki/', '^src/store/', '^src/model/'],
  ['^src/zones/', '^src/failsafe/', '^src/features/', '^src/session/', '^src/dialect/'],
  ['^src/commissioning/', '^src/interaction/', '^src/discovery/', '^src/protocol-log/', '^src/test-control/'],
  ['^src/device/', '^src/(device|version)\\.ts$'],
  ['^src/node/', '^src/controller/', '^src/simulator/', '^src/pics/', '^boards/', '^hal/[^/]+/'],
  ['^src/conformance/'],
  ['^src/cli/'],
];

/** Arrows between two rooms of one layer; none of them runs both ways. */
const beside = {
  '^src/profile\\.ts$': ['^src/errors\\.ts$'],
  '^src/crypto/': ['^src/codec/'],
  '^src/zones/': ['^src/dialect/'],
  '^src/failsafe/': ['^src/zones/'],
  '^src/features/': ['^src/failsafe/', '^src/zones/'],
  '^src/protocol-log/': ['^src/discovery/'],
  '^src/(device|version)\\.ts$': ['^src/device/'],
  '^src/controller/': ['^src/node/'],
  '^src/simulator/': ['^hal/[^/]+/'],
};

/** Rooms that know less than their layer would let them. */
const only = {
  '^boards/': ['^src/model/', '^hal/[^/]+$'],
  '^hal/[^/]+/': ['^hal/[^/]+$'],
  // A black box: what the runner knows of the protocol it has from the wire's rooms and from the controller, nothing from the device.
  '^src/conformance/': ['^src/(platform|errors|pics/format)\\.ts$', '^src/(codec|crypto|pki|session|dialect|discovery|controller|node)/'],
};

/** Rooms with Node under them; nothing else imports a module of Node. */
const ON_NODE = '^src/(node|controller|simulator|conformance|cli)/';

/** The rooms that may import a package; no room imports another package. */
const packages = {
  '@noble/(curves|hashes)': '^src/crypto/portable/',
  '@peculiar/x509': '^src/controller/',
  'reflect-metadata': '^src/controller/',
  '@achingbrain/nat-port-mapper': '^src/node/',
  commander: '^src/cli/',
  qr: '^src/(simulator|cli)/',
};

const OURS = '^(src|hal|boards|test|scripts)/';
const SHIPPED = '^(src|hal|boards)/';
const PACKAGE_TYPES = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];

const rooms = layers.flat();
const inFolder = (names) => `node_modules/(${names})/`;

module.exports = {
  forbidden: [
    ...layers.flatMap((layer, height) =>
      layer.map((room) => ({
        name: `room ${room}`,
        comment: 'a room knows the layers below its own, never the other way',
        severity: 'error',
        from: { path: room },
        to: { path: OURS, pathNot: [room, ...(only[room] ?? [...layers.slice(0, height).flat(), ...(beside[room] ?? [])])] },
      })),
    ),
    {
      name: 'every module has a room',
      severity: 'error',
      from: { path: SHIPPED, pathNot: rooms },
      to: {},
    },
    {
      name: 'boards are data',
      comment: 'a board takes types from the model, no code',
      severity: 'error',
      from: { path: '^boards/' },
      to: { path: '^src/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'portable crypto is loaded by nobody on Node',
      comment: 'the adapter for engines without native cryptography: the device on Node must not load it',
      severity: 'error',
      from: { path: SHIPPED, pathNot: '^src/crypto/portable/' },
      to: { path: '^src/crypto/portable/' },
    },
    {
      name: 'no Node in the core',
      severity: 'error',
      from: { path: SHIPPED, pathNot: ON_NODE },
      to: { dependencyTypes: ['core'] },
    },
    ...Object.entries(packages).map(([names, allowed]) => ({
      name: `package ${names}`,
      severity: 'error',
      from: { path: SHIPPED, pathNot: allowed },
      to: { path: inFolder(names) },
    })),
    {
      name: 'no other package',
      severity: 'error',
      from: { path: SHIPPED },
      to: { dependencyTypes: PACKAGE_TYPES, pathNot: inFolder(Object.keys(packages).join('|')) },
    },
    { name: 'no circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'every import leads somewhere', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    // `import type` is an import: what a room knows by name, it knows.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
