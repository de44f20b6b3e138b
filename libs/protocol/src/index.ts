export {
  contentOf,
  hostOfKey,
  sameContent,
  type DocumentChange,
  type Documents,
} from './projection/documents.js';
export { keysOfHost, projectAll } from './projection/project-all.js';
export { project, withChanges } from './projection/project.js';
