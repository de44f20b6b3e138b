export { PortolanNatsContext } from './context.js';
export { RpcProblemFilter } from './problem.filter.js';
export { PortolanNatsServer, type PortolanNatsServerOptions } from './server.js';
