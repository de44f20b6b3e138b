const transform = { '^.+\\.ts$': ['@swc/jest', {}] };
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^#([a-z-]+)/([a-z-]+)$': '<rootDir>/libs/$1/src/$2/index.ts',
    '^#([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform,
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.portolan/'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/'],
};

/**
 * Projects by what a test needs: `unit` needs nothing, `nats` a real nats-server,
 * `process` the built services as processes, `lab` root and a real Open vSwitch; `chaos` does to processes
 * what happens to them.
 */
export default {
  // Not a figure of speed: a limit for what hangs, on machines that may be busy with other things.
  testTimeout: 300_000,
  testSequencer: '<rootDir>/test/longest-first.js',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      setupFiles: ['<rootDir>/test/unit/properties.setup.ts'],
      testMatch: [
        '<rootDir>/{libs,apps}/**/*.spec.ts',
        '<rootDir>/test/{unit,simulator,witness}/**/*.spec.ts',
      ],
    },
    {
      ...shared,
      displayName: 'nats',
      testMatch: ['<rootDir>/{libs,apps}/**/*.nats-spec.ts', '<rootDir>/test/nats/**/*.nats-spec.ts'],
    },
    { ...shared, displayName: 'process', testMatch: ['<rootDir>/test/process/**/*.process-spec.ts'] },
    { ...shared, displayName: 'chaos', testMatch: ['<rootDir>/test/chaos/**/*.chaos-spec.ts'] },
    {
      ...shared,
      displayName: 'lab',
      testMatch: ['<rootDir>/{libs,apps}/**/*.lab-spec.ts', '<rootDir>/test/{lab,witness}/**/*.lab-spec.ts'],
    },
  ],
};
