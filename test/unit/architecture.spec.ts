import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RULES, UNITS } from './architecture.rules.js';

const ROOT = process.cwd();

/** `rule: from → to` for every violation in a tree. */
async function violations(baseDir: string): Promise<string[]> {
  const parts = ['apps', 'libs', 'test'].filter((part) => existsSync(join(baseDir, part)));
  const config = join(ROOT, 'tsconfig.json');
  const { output } = await cruise(
    parts,
    {
      baseDir,
      ruleSet: RULES,
      validate: true,
      tsPreCompilationDeps: true,
      preserveSymlinks: true,
      enhancedResolveOptions: {
        exportsFields: ['exports'],
        conditionNames: ['import', 'node', 'default', 'types'],
      },
      tsConfig: {
        fileName: existsSync(join(baseDir, 'tsconfig.json')) ? join(baseDir, 'tsconfig.json') : config,
      },
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '(^|/)dist/' },
    },
    undefined,
    { tsConfig: extractTSConfig(config) },
  );
  const { summary } = output as ICruiseResult;
  return summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`);
}

describe('dependency rules', () => {
  it('hold in apps, libs and test', async () => {
    expect(await violations(ROOT)).toEqual([]);
  });
});

describe('the rules bite', () => {
  let tree: string;
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  };
  let found: string[];

  beforeAll(async () => {
    tree = mkdtempSync(join(tmpdir(), 'portolan-rules-'));
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    put('package.json', '{"type":"module"}');
    put('tsconfig.json', JSON.stringify({ extends: join(ROOT, 'tsconfig.json') }));
    for (const lib of [...Object.keys(UNITS), 'testing'])
      put(`libs/${lib}/src/index.ts`, 'export const x = 1;\n');
    put('libs/kernel/src/inner.ts', 'export const y = 1;\n');
    put('libs/domain/src/core.ts', "import 'node:fs';\n");
    put('libs/domain/src/nest.ts', "import '@nestjs/common';\n");
    put('libs/domain/src/up.ts', "import '../../openflow/src/index.js';\n");
    put('libs/domain/src/deep.ts', "import '../../kernel/src/inner.js';\n");
    put('libs/domain/src/one.ts', "import { two } from './two.js';\nexport const one = two;\n");
    put('libs/domain/src/two.ts', "import { one } from './one.js';\nexport const two = one;\n");
    put('libs/domain/src/fake.ts', "import '../../testing/src/index.js';\n");
    put('libs/domain/src/good.spec.ts', "import '../../testing/src/index.js';\nimport 'node:fs';\n");
    put('libs/domain/src/gone.ts', "import './nowhere.js';\n");
    put('libs/event-store/src/leak.ts', "import '@nats-io/transport-node';\nimport 'node:net';\n");
    put('libs/event-store/src/jetstream/index.ts', "import '@nats-io/transport-node';\nimport 'node:net';\n");
    put('libs/stranger/src/index.ts', 'export const z = 1;\n');
    put('libs/domain/src/strange.ts', "import '../../stranger/src/index.js';\n");
    put('apps/a/src/main.ts', "import '../../b/src/main.js';\nimport '../../../libs/kernel/src/inner.js';\n");
    put('apps/b/src/main.ts', "import '@nestjs/common';\nimport '../../../libs/domain/src/index.js';\n");
    put('libs/contracts/src/http/index.ts', "import 'typebox';\n");
    put('libs/contracts/src/wire.ts', "import 'typebox';\n");
    put('apps/host-agent/src/main.ts', "import '../../../libs/contracts/src/http/index.js';\n");
    put('test/witness/model/model.ts', "import '../../../libs/compiler/src/index.js';\n");
    put('test/witness/model/fair.ts', "import '../../../libs/domain/src/index.js';\n");
    found = await violations(tree);
  });
  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it.each([
    'domain: node: libs/domain/src/core.ts',
    'domain: npm: libs/domain/src/nest.ts',
    'Nest at the edge: libs/domain/src/nest.ts',
    'domain: libs: libs/domain/src/up.ts',
    'no deep imports: libs/domain/src/deep.ts',
    'apps through the index: apps/a/src/main.ts',
    'no cycles: libs/domain/src/one.ts',
    'testing in tests: libs/domain/src/fake.ts',
    'resolved: libs/domain/src/gone.ts',
    'NATS by its entry: libs/event-store/src/leak.ts',
    'event-store is pure: libs/event-store/src/leak.ts',
    'known units: libs/domain/src/strange.ts',
    'no app in an app: apps/a/src/main.ts',
    'wire without typebox: libs/contracts/src/wire.ts',
    'the agent is light: apps/host-agent/src/main.ts',
    'the witness is independent: test/witness/model/model.ts',
  ])('%s', (start) => {
    expect(found.filter((violation) => violation.startsWith(`${start} ->`))).toHaveLength(1);
  });

  it('but only on what is wrong', () => {
    expect(
      found.filter((v) =>
        /good\.spec|model\/fair|(jetstream|http)\/index\.ts ->|apps\/b\/src\/main\.ts ->/.test(v),
      ),
    ).toEqual([]);
  });
});
