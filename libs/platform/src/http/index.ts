export { correlationMiddleware } from './correlation.middleware.js';
export { HttpProblemFilter } from './problem.filter.js';
export { problemJson, statusOf, type ProblemJson } from './problem-json.js';
export { problemOfValidation, problemValidationPipe } from './validation.js';
