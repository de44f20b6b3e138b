import {
  type IFlattenedRuleSet,
  type IReachabilityForbiddenRuleType,
  type IRegularForbiddenRuleType,
} from 'dependency-cruiser';

/** Which libs and npm packages a lib may import; `node` says whether Node's own modules. Apps may import every lib. */
interface Unit {
  readonly libs: readonly string[];
  readonly npm: readonly string[];
  readonly node: boolean;
}

const NATS = '@nats-io/[^/]+';

export const UNITS: Readonly<Record<string, Unit>> = {
  kernel: { libs: [], npm: [], node: false },
  domain: { libs: ['kernel'], npm: ['immutable'], node: false },
  openflow: { libs: ['kernel'], npm: [], node: false },
  contracts: { libs: ['kernel', 'domain'], npm: ['typebox'], node: false },
  compiler: { libs: ['kernel', 'domain', 'contracts', 'openflow'], npm: [], node: false },
  protocol: { libs: ['kernel', 'domain', 'contracts'], npm: [], node: false },
  'event-store': { libs: ['kernel'], npm: [NATS], node: true },
  runtime: {
    libs: ['kernel', 'domain', 'contracts', 'event-store', 'protocol', 'platform'],
    npm: [NATS],
    node: true,
  },
  ovs: { libs: ['kernel', 'openflow'], npm: [], node: true },
  'simulated-switch': { libs: ['kernel', 'openflow'], npm: [], node: false },
  platform: {
    // The documents' transport and signatures live here too.
    libs: ['kernel', 'domain', 'contracts', 'protocol'],
    npm: [NATS, '@nestjs/[^/]+', 'rxjs', 'reflect-metadata', 'pino', 'prom-client', 'yaml'],
    node: true,
  },
};

/** Tests and what only tests use (fixtures, contract suites): they may import any lib, and they alone `#testing`. */
const TEST = String.raw`(\.(spec|nats-spec|lab-spec|process-spec|fixture)\.ts$|/(contract|fixtures)\.ts$|^test/|^libs/testing/)`;
/** A lib's index, and those of the parts that are imported by themselves. */
const ENTRY = String.raw`^libs/([^/]+/src|contracts/src/http|domain/src/on-host|event-store/src/jetstream|platform/src/(accounts|http|jetstream|transport))/index\.ts$`;
/** What tests of several units have in common. */
const SHARED_BY_TESTS = String.raw`/(lab|conformance|packets)\.fixture\.ts$`;
const HEAVY =
  '^node_modules/(typebox|class-validator|class-transformer|@nestjs/(microservices|platform-express)|@nats-io/(jetstream|kv))/';
const npmPattern = (names: readonly string[]): string => `^node_modules/(${names.join('|')})/`;

const forbid = (
  name: string,
  comment: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'] | IReachabilityForbiddenRuleType['to'],
): IRegularForbiddenRuleType => ({ name, comment, severity: 'error', from, to }) as IRegularForbiddenRuleType;

function ofUnit([lib, unit]: [string, Unit]): IRegularForbiddenRuleType[] {
  const from = { path: `^libs/${lib}/`, pathNot: TEST };
  const allowed = [lib, ...unit.libs].join('|');
  const rules = [
    forbid(`${lib}: libs`, 'see the table of units', from, {
      path: '^libs/',
      pathNot: `^libs/(${allowed})/`,
    }),
    forbid(`${lib}: npm`, 'see the table of units', from, {
      path: '^node_modules/',
      ...(unit.npm.length === 0 ? {} : { pathNot: npmPattern(unit.npm) }),
    }),
  ];
  if (unit.node) return rules;
  return [...rules, forbid(`${lib}: node`, 'it is pure', from, { dependencyTypes: ['core'] })];
}

export const RULES: IFlattenedRuleSet = {
  forbidden: [
    ...Object.entries(UNITS).flatMap(ofUnit),
    forbid(
      'no cycles',
      'a cycle has no inside',
      {},
      { circular: true, viaOnly: { pathNot: 'node_modules' } },
    ),
    forbid('resolved', 'what is imported exists', {}, { couldNotResolve: true }),
    forbid(
      'known units',
      'a new lib is entered in the table',
      {},
      {
        path: '^libs/',
        pathNot: `^libs/(testing|${Object.keys(UNITS).join('|')})/`,
      },
    ),
    forbid(
      'no deep imports',
      'across libs only named exports of the index',
      { path: '^libs/([^/]+)/' },
      { path: '^libs/', pathNot: [ENTRY, '^libs/$1/', SHARED_BY_TESTS] },
    ),
    forbid(
      'apps through the index',
      'as above',
      { path: '^(apps|test)/' },
      { path: '^libs/', pathNot: [ENTRY, SHARED_BY_TESTS] },
    ),
    forbid(
      'no app in an app',
      'services speak by messages',
      { path: '^apps/([^/]+)/' },
      {
        path: '^apps/',
        pathNot: '^apps/$1/',
      },
    ),
    forbid(
      'the witness is independent',
      'its model says what policies mean, and knows nothing of how they are carried out',
      { path: '^test/witness/(model|cases)/' },
      { path: '^(libs/(?!(kernel|domain)/)|apps/|test/(?!witness/(model|cases)/))' },
    ),
    forbid('no app in a lib', 'libs stand below', { path: '^libs/' }, { path: '^apps/' }),
    forbid(
      'Nest at the edge',
      'only apps and platform know Nest',
      { path: '^libs/(?!platform/)', pathNot: TEST },
      {
        path: '^node_modules/@nestjs/',
      },
    ),
    forbid(
      'wire without typebox',
      'what an agent reads is checked without a library for all of JSON schema',
      { path: '^libs/contracts/src/(?!http/)', pathNot: TEST },
      { path: '^node_modules/typebox/' },
    ),
    forbid(
      'the agent is light',
      'it shares its machine with the guests: what it never uses is not to be reached from its main',
      { path: '^apps/host-agent/src/main\\.ts$' },
      { path: HEAVY, reachable: true },
    ),
    forbid('testing in tests', 'it is no part of a service', { pathNot: TEST }, { path: '^libs/testing/' }),
    forbid(
      'NATS by its entry',
      'the log stays a port',
      { path: '^libs/event-store/src/(?!jetstream/)', pathNot: TEST },
      {
        path: '^node_modules/@nats-io/|^libs/event-store/src/jetstream/',
      },
    ),
    forbid(
      'event-store is pure',
      'but for its JetStream entry',
      {
        path: '^libs/event-store/src/(?!jetstream/)',
        pathNot: TEST,
      },
      { dependencyTypes: ['core'] },
    ),
  ],
};
